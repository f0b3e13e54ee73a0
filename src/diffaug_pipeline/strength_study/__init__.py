"""How far image-to-image may go: what each strength does to real images, and which keep the class."""
