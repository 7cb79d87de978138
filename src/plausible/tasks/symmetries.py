"""How images may be mirrored, turned or shifted while a model learns from them: what a test on them cannot tell."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from plausible.core.model import Model
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data
from plausible.data.symmetries import symmetries
from plausible.evaluation.symmetry import (
    LEVEL,
    POWER,
    SHARE,
    SymmetryTest,
    ask_symmetries,
    fitting_symmetries,
)
from plausible.runs.kept_json import mismatch
from plausible.tasks.eyes import remembered

_TEST = {"name": str, "learned": int, "asked": int, "right": int, "p": float, "power": float}
_VERSION = 1  # of what is kept; another one where the test changes
C = TypeVar("C", bound=Model.Config)


@dataclass(frozen=True)
class Symmetries:
    """What was asked about a data set; nothing about vectors and images of fewer than 8 pixels a side."""

    tests: tuple[SymmetryTest, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Those by which images may be changed: not told, by a test that would have told."""
        return tuple(test.name for test in self.tests if test.holds)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found, in a sentence."""
        if not self.tests:
            return ()
        told = [test for test in self.tests if test.told]
        holding = [test for test in self.tests if test.holds]
        unknown = [test for test in self.tests if not test.told and not test.holds]
        asked = max(test.asked for test in self.tests)
        said = []
        if holding:
            held = _listed(holding)
            said.append(f"images {held} cannot be told from the others: a GAN learns from such too")
        if told:
            said.append(f"images {_listed(told)} can be told from the others: none are made")
        if unknown:
            them = _listed(unknown)
            said.append(f"too few images to know whether {them} ones can be told: none are made")
        how = f"how often a critic is right about {asked:,} pairs it has not seen"
        return (f"{'; '.join(said)} ({how}; train gan --symmetries chooses)",)


def symmetries_of(
    source: Any = "digits",
    options: Options = DEFAULTS,
    *,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> Symmetries:
    """Which changes of the training part of a data set can be told, see ``ask_symmetries``.

    source    ``Data``, or whatever ``load`` takes.
    progress  called with the share that is done.
    What was found of the same data is kept in the cache.
    """
    data = source if isinstance(source, Data) else load(source, options)
    if not fitting_symmetries(data.space):
        return Symmetries(())

    def make() -> list[dict[str, Any]]:
        return [asdict(test) for test in ask_symmetries(data.train, seed=seed, progress=progress)]

    words = [str(_VERSION), str(seed), str(LEVEL), str(SHARE), str(POWER)]
    return Symmetries(
        tuple(
            SymmetryTest(**test) for test in remembered(data, "symmetries", words, make, _are_tests)
        )
    )


def with_symmetries(
    config: C, data: Data, progress: Callable[[float], None] = lambda share: None
) -> tuple[C, Data]:
    """A config that leaves its symmetries to the data, and these data: with those found, and a note on them."""
    if getattr(config, "symmetries", ()) is not None:
        return config, data
    found = symmetries_of(data, progress=progress)
    chosen: Any = {"symmetries": found.names}
    return replace(config, **chosen), replace(data, notes=(*data.notes, *found.notes))


def _are_tests(kept: Any) -> bool:
    """Whether this is what the tests of some symmetries said."""
    whole = not mismatch(kept, [_TEST])
    return whole and all(
        test.keys() == _TEST.keys() and test["name"] in symmetries for test in kept
    )


def _listed(tests: Sequence[SymmetryTest]) -> str:
    """Mirrored (50%), turned (97%) or shifted (99%)."""
    *others, last = [f"{symmetries[test.name].words} ({test.accuracy:.0%})" for test in tests]
    return f"{', '.join(others)} or {last}" if others else last
