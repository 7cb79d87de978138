"""The taxonomy of models; importing one of these files registers what it defines.

discriminative, p(y | x)
    linear          least squares on one-hot targets, in closed form
    logistic        softmax regression, to its optimum
    convnet         a convolutional classifier
generative, p(x) or p(x | y)
    explicit: says how probable an x is
        tractable
            pixelcnn        the chain rule with masked convolutions
            pixelrnn        the chain rule with recurrences over the image
            naive-bayes     every pixel by itself, given the class
            mixture         Gaussians, for vectors
            flow            an invertible network, and the change of variables
        approximate
            variational
                vae             an encoder, a decoder, and a bound of log p(x)
                vq-vae          a grid of codes, and a pixelcnn over it
                diffusion       a flow from noise to data, by flow matching or denoising
            Markov chain
                rbm             binary units in two layers, and an energy
    implicit: only draws samples
        direct
            gan     a generator learns against a discriminator
        Markov chain
            gsn     a chain that learns to come back to the data
"""

from plausible.models.diffusion.diffusion import Diffusion
from plausible.models.discriminative import ConvNet, LinearRegression, LogisticRegression
from plausible.models.flow.flow import Flow
from plausible.models.gan.gan import GAN
from plausible.models.gsn.gsn import GSN
from plausible.models.mixture.mixture import GaussianMixture
from plausible.models.naive_bayes import NaiveBayes
from plausible.models.per_class import PerClass
from plausible.models.pixelcnn.pixelcnn import PixelCNN
from plausible.models.pixelrnn.pixelrnn import PixelRNN
from plausible.models.rbm.rbm import RBM
from plausible.models.vae.vae import VAE
from plausible.models.vqvae.vqvae import VQVAE

__all__ = [
    "GAN",
    "GSN",
    "RBM",
    "VAE",
    "VQVAE",
    "ConvNet",
    "Diffusion",
    "Flow",
    "GaussianMixture",
    "LinearRegression",
    "LogisticRegression",
    "NaiveBayes",
    "PerClass",
    "PixelCNN",
    "PixelRNN",
]
