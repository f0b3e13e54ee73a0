"""How datasets are laid out on disk: one module per format, reading and, where there is need, writing."""
