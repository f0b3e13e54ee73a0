"""Is a synthetic image a near-copy of a real one? Compares whole pictures; an object cut out of one is not found."""
