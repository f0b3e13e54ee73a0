"""Does diffusion-generated training data make your classifier or detector better, and by how much?"""

__version__ = "0.1.0"
