"""Data sets: where they come from and how they are split; read in this order.

``options``   what can be asked for, and where a source is (torch-free)
``part``      ``Data`` in three ``Part``s, and the ``Survey`` of what was found
``load``      a name or path -> ``Data``: labels, levels, split
``raw``       what a reader hands over
``arrays``    any array as images or vectors; ``readers`` IDX, npy, npz; ``tables`` csv
``images``    one picture file; ``folder`` many of them
``quantise``  grey levels, black and white; ``labels`` classes 0 .. K - 1
``toys``      distributions in the plane whose density is known
"""
