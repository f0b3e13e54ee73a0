"""How the embedded models were made: a small VAE, CLIP and latent diffusion model trained on Fashion-MNIST."""
