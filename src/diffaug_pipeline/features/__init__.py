"""Features: what models see in a picture, once per picture and model."""
