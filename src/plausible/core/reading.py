"""Names of the numbers that are read while a model trains: who says one and who reads it share the constant."""


class Reading(str):
    """The name of a number in the log of a training, declared once, in the file of the probe that says it.

    Who reads the number imports the constant, so that one that was renamed on one side alone is an
    ``ImportError``, and a name that nobody declared is a ``TypeError``.

    >>> WEIGHT_NORM = Reading("weight norm")
    >>> WEIGHT_NORM.of("generator")
    'weight norm of the generator'
    """

    __slots__ = ()

    def of(self, player: str) -> "Reading":
        """The same of one player."""
        return Reading(f"{self} of the {player}")


def need_reading(name: object) -> None:
    """Refuse a name that was not declared."""
    if not isinstance(name, Reading):
        raise TypeError(f"{name!r} is no Reading: declare it once, in the file of the probe")


# What is said below the probes: by the loop, by the loss of every game of two, by a family with hidden units.
LOSS = Reading("loss")
GRADIENT_NORM = Reading("gradient norm")
D_REAL = Reading("D(x)")
"""What D says of data in a round, as a probability."""
D_FAKE = Reading("D(G(z))")
"""What D says of samples."""
CONSTANT_UNITS = Reading("constant hidden units")
"""Share of the hidden units that say the same of every input."""
