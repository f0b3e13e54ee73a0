"""The nouns all stages share: image sets, prepared pixels, contact sheets. Knows no torch and no Kedro."""
