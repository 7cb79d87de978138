"""Diffusion and flow matching: noise turned into data by an ordinary differential equation that a network learns."""
