"""plausible claims."""

import ast
import json
import sys
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tyro.conf import Positional

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import Overwrite, Seed
from plausible.cli.checks import check_output
from plausible.cli.command import Command, commands
from plausible.cli.console import console, progress_bar, say

if TYPE_CHECKING:
    from plausible.claims import Claimed, Figure


@commands
@dataclass(frozen=True)
class Claims(Command):
    """The theory, run: each claim a seeded experiment that ends in numbers; exit code 1 if one does not hold.

    Example: plausible claims optimal-discriminator orbit --out claims/
    """

    answers: ClassVar[type[Any]] = documents.ClaimsTested
    names: Positional[tuple[str, ...]] = ()
    """The claims to run; by default all of them."""
    out: Path | None = None
    """Write a page, a picture and the numbers of each to this folder."""
    seed: Seed = 0
    overwrite: Overwrite = False

    @staticmethod
    def listing() -> str:
        """Every claim with its minutes on 2 cores: the docstring of plausible.claims, read without importing torch."""
        text = (Path(__file__).parent.parent / "claims" / "__init__.py").read_text("utf-8")
        claims = (ast.get_docstring(ast.parse(text)) or "").split("\n\n", 1)[1]
        lines = textwrap.indent(claims, "  ")
        return f"CLAIM is one of these, with its minutes on 2 cores:\n{lines}"

    def run(self) -> None:
        """Run, print and write each."""
        from plausible.claims import claims
        from plausible.cli import display

        wanted = {name: claims[name] for name in self.names or tuple(claims)}
        if self.out is not None:
            for name in wanted:
                check_output(str(self.out / f"{name}.md"), (".md",), self.overwrite)
            self.out.mkdir(parents=True, exist_ok=True)
        failed, tested = [], []
        for name, experiment in wanted.items():
            with progress_bar(name):
                claimed = experiment(self.seed)
            console.print(display.claim(_sentences(name)[0], claimed), highlight=False)
            if self.out is not None:
                _write(self.out, name, claimed, self.seed)
            tested.append(_tested(name, claimed))
            if not claimed.holds:
                failed.append(name)
        answer(documents.ClaimsTested(tuple(tested), not failed))
        if self.out is not None:
            say(f"a page and a picture of each in {self.out}")
        if failed:
            console.print(f"does not hold: {', '.join(failed)}", style="bold red", soft_wrap=True)
            sys.exit(1)


def _tested(name: str, claimed: "Claimed") -> documents.ClaimTested:
    measured = tuple(asdict(number) for number in claimed.measured)
    return documents.ClaimTested(name, _sentences(name)[0], claimed.holds, measured)


def _write(folder: Path, name: str, claimed: "Claimed", seed: int) -> None:
    """NAME.md, its pictures and NAME.json."""
    from plausible import figures
    from plausible.runs.files import write

    title, _ = _sentences(name)
    for file, shown in _pictures(name, claimed).items():
        axes = shown.across, shown.upwards
        write(
            folder / file,
            figures.png(figures.line_plot(shown.curves, *axes, title=title, log=shown.log)),
        )
    write(folder / f"{name}.md", _page(name, claimed, seed))
    numbers = {"seed": seed, "holds": claimed.holds, **asdict(claimed)}
    write(folder / f"{name}.json", json.dumps(numbers) + "\n")


def _sentences(name: str) -> tuple[str, str]:
    """The claim, and how it is tested, from the docstring of its experiment."""
    import inspect

    from plausible.claims import claims

    first, _, rest = inspect.cleandoc(claims[name].__doc__ or "").partition("\n\n")
    return first, rest


def _page(name: str, claimed: "Claimed", seed: int) -> str:
    """One claim as Markdown."""
    from plausible.cli import display

    first, rest = _sentences(name)
    rows = [
        "| measured | value | 95% interval | must be | holds |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in display.cells(claimed)),
    ]
    return (
        f"# {first}\n\n{rest}\n\n"
        + "".join(f"![{Path(file).stem}]({file})\n\n" for file in _pictures(name, claimed))
        + "\n".join(rows)
        + f"\n\n`plausible claims {name} --seed {seed}`\n"
    )


def _pictures(name: str, claimed: "Claimed") -> "dict[str, Figure]":
    """{file: what it shows}."""
    second = {} if claimed.second_figure is None else {f"{name}-beside.png": claimed.second_figure}
    return {f"{name}.png": claimed.figure, **second}


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|")
