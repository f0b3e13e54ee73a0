"""The augmented dataset in the formats people use, with a card that says what it is."""
