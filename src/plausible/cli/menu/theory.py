"""The theory, run."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from plausible.cli.menu.terminal import console


@dataclass(frozen=True)
class Claims:
    """The theory, run: each claim a seeded experiment that ends in numbers; exit code 1 if one does not hold.

    Example: plausible claims optimal-discriminator orbit --out claims/
    """

    names: Positional[tuple[str, ...]] = ()
    """Which claims; by default all of them, 2 minutes each at most."""
    out: Path | None = None
    """A folder for a page, a picture and the numbers of each."""
    seed: int = 0
    """The same seed gives the same numbers."""
    overwrite: bool = False
    """Replace pages that exist."""

    def run(self) -> None:
        """Run, print, write."""
        from plausible.cli import commands

        commands.prove(self, console)
