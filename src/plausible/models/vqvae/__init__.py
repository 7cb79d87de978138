"""Vector quantised autoencoder: a grid of codes for x, and a PixelCNN over the codes."""
