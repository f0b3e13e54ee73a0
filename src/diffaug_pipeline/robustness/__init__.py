"""How trained networks take corrupted pictures, and whether they know when they are wrong."""
