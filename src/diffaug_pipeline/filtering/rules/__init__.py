"""One module per reason to reject a synthetic image."""
