"""The theory, run."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from plausible.menu.terminal import console
from plausible.paths import free


@dataclass(frozen=True)
class Claims:
    """The theory, run: each claim a seeded experiment that ends in numbers; exit code 1 if one does not hold.

    Example: plausible claims optimal-discriminator orbit --out claims/
    """

    names: Positional[tuple[str, ...]] = ()
    """Which claims; by default all of them, 2 minutes each at most."""
    out: str | None = None
    """A folder (trailing /) for a page and a picture of each, and claims.json."""
    seed: int = 0
    """The same seed gives the same numbers."""
    overwrite: bool = False
    """Replace pages that exist."""

    def run(self) -> None:
        """Run, print, write."""
        if self.out is not None:
            free(str(Path(self.out) / "claims.json"), (".json",), self.overwrite)
        from plausible import commands

        commands.prove(self, console)
