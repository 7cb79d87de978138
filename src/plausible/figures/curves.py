"""The curves of a training that a person can read, as numbers: those that a figure, a page or a terminal draws."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from plausible.core.reading import D_FAKE, D_REAL, LOSS, Reading
from plausible.diagnosis.garbage import GARBAGE
from plausible.diagnosis.history import History
from plausible.diagnosis.missing_modes import FRECHET_RATIO, MISSED_SHARE
from plausible.diagnosis.overfitting import VALIDATION_LOSS

Line = tuple[Tensor, Tensor]
"""(rounds, values), (n,) each."""

_FITTED = {  # of models that learn by a method of their own
    Reading("log likelihood"): "nats an example",
    Reading("cost"): "loss an example",
}


@dataclass(frozen=True)
class Curves:
    """Lines {name: (rounds, values)} that share an axis.

    unit    of the values, in words.
    percent  whether they are shares, which are read in percent.
    level   where a line across helps to read them.
    """

    title: str
    lines: Mapping[str, Line]
    unit: str
    percent: bool = False
    logarithmic: bool = False
    level: float | None = None


def curves(history: History) -> list[Curves]:
    """What the log of a training says, most telling first; empty where it says nothing."""
    return [each for each in (*_losses(history), *_judged(history)) if each.lines]


def _losses(history: History) -> list[Curves]:
    losses = {who: history.series_of(who, LOSS) for who in history.players}
    alone = len(losses) == 1
    losses = {"on training examples" if alone else who: line for who, line in losses.items()}
    losses["on new examples"] = history.series(VALIDATION_LOSS)
    lower = "" if len(history.players) > 1 else ": lower is better"
    return [
        Curves(f"loss{lower}", _there(losses), "loss an example"),
        *(
            Curves("fit", _there({str(name): history.series_of(who, name)}), unit)
            for name, unit in _FITTED.items()
            for who in history.players
        ),
    ]


def _judged(history: History) -> list[Curves]:
    """What probes say of samples, and the discriminator of both."""
    distance = {"samples": history.series(FRECHET_RATIO)}
    shares = {
        "kinds that are missing": history.series(MISSED_SHARE),
        "samples unlike any data": history.series(GARBAGE),
    }
    said = {
        name: _first(history, reading)
        for name, reading in (("of data", D_REAL), ("of samples", D_FAKE))
    }
    return [
        Curves(
            "distance of samples from data: lower is better, 1 is that of real data",
            _there(distance),
            "times that of real data",
            logarithmic=True,
            level=1.0,
        ),
        Curves("shares of the data and of the samples: 0% is best", _there(shares), "%", True),
        Curves(
            "how real the discriminator finds each: the same where it cannot tell",
            _there(said),
            "%",
            percent=True,
            level=0.5,
        ),
    ]


def _first(history: History, reading: Reading) -> Line:
    """The series of the first player that says it."""
    found = [history.series_of(who, reading) for who in history.players]
    return next((line for line in found if len(line[0])), history.series(reading))


def _there(lines: Mapping[str, Line]) -> dict[str, Line]:
    return {name: line for name, line in lines.items() if len(line[0])}
