"""Mixtures of Gaussians, of vectors and in the principal components of images."""
