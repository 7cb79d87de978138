"""PixelRNN: one file a network."""
