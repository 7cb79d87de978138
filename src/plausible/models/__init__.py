"""The taxonomy of models; importing one of these files registers what it defines.

discriminative, p(y | x)
    convnet         a convolutional classifier
generative, p(x) or p(x | y)
    explicit: says how probable an x is
        tractable
        approximate
    implicit: only draws samples
        direct
            gan     a generator learns against a discriminator
        Markov chain
"""

from plausible.models.discriminative import ConvNet
from plausible.models.implicit.gan.gan import GAN

__all__ = ["GAN", "ConvNet"]
