"""Data sets: where they come from and how they are split; read in this order.

``source``    a name or a path -> where the data are (torch-free)
``options``   what can be asked of them (torch-free)
``part``      ``Data`` in three ``Part``s, and the ``Survey`` of what was found
``load``      a source -> ``Data``: labels, levels, split
``split``     the three parts: drawn, drawn anew, taken from other data
``readers``   one function a format in a registry, each giving a ``raw``: a new format is one more
``memory``    arrays, DataFrames and torch Datasets, as a reader hands them over
``arrays``    any array as images or vectors; ``images`` one picture file, ``image_files`` many
``mapped``    arrays larger than the memory, on the disk; ``kept_data`` data that lie there, ``fingerprint`` whether a source changed
``named_sets``, ``download``  sets by name and their files; ``hub`` those of the Hugging Face hub; ``numbered`` a-{0..9}.tar
``archive``   a .zip or .tar file as a folder for a while; ``mark`` what pictures say that a model drew; ``resize`` images brought to the size asked for
``value_range``  which numbers are black and white, of arrays and of deep pictures alike
``columns``   tables matched by name to those that the data came in
``quantise``  grey levels, black and white; ``labels`` classes 0 .. K - 1
``mutation``  some coordinates replaced, for a background model
``inputs``    files to answer questions about; ``samples`` what another program drew
``toys``      distributions in the plane whose density is known
"""
