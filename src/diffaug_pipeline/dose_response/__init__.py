"""How many synthetic images per real one: a curve over doses, the dose to use, and what it is worth in real images."""
