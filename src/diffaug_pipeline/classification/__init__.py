"""ResNets trained on each arm, equally long, and asked about the same real test images."""
