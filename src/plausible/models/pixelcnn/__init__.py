"""PixelCNN: one file a network."""
