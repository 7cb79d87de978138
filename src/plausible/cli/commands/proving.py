"""plausible claims."""

import inspect
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from plausible import figures, runs
from plausible.claims import Claimed, Figure, claims
from plausible.cli import display
from plausible.cli.checks import free
from plausible.cli.commands.files import progress
from plausible.cli.menu import Claims


def prove(asked: Claims, console: Console) -> None:
    """plausible claims NAME...: run, print and write each; exit code 1 where one does not hold."""
    found: dict[str, Claimed] = {}
    wanted = {name: claims[name] for name in asked.names or tuple(claims)}
    folder = asked.out
    if folder is not None:
        for name in wanted:
            free(str(folder / f"{name}.md"), (".md",), asked.overwrite)
        folder.mkdir(parents=True, exist_ok=True)
    for name, experiment in wanted.items():
        with progress(console) as bar:
            bar.add_task(name, total=None)
            found[name] = experiment(asked.seed)
        first, rest = _told(name)
        console.print(display.claim(first, found[name]), highlight=False)
        if folder is not None:
            for file, shown in _pictures(name, found[name]).items():
                image = figures.curves(shown.curves, shown.across, shown.upwards, log=shown.log)
                runs.write(folder / file, figures.png(image))
            runs.write(folder / f"{name}.md", _page(name, first, rest, found[name], asked.seed))
            numbers = {"seed": asked.seed, "holds": found[name].holds, **asdict(found[name])}
            runs.write(folder / f"{name}.json", json.dumps(numbers) + "\n")
    if folder is not None:
        console.print(f"a page and a picture of each in {folder}", highlight=False, soft_wrap=True)
    failed = [name for name, one in found.items() if not one.holds]
    if failed:
        console.print(f"does not hold: {', '.join(failed)}", style="bold red", soft_wrap=True)
        sys.exit(1)


def _told(name: str) -> tuple[str, str]:
    """The claim, and how it is tested, from the docstring of its experiment."""
    first, _, rest = inspect.cleandoc(claims[name].__doc__ or "").partition("\n\n")
    return first, rest


def _page(name: str, first: str, rest: str, found: Claimed, seed: int) -> str:
    """One claim as Markdown."""
    rows = [
        "| measured | value | 95% interval | must be | holds |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in display.cells(found)),
    ]
    return (
        f"# {first}\n\n{rest}\n\n"
        + "".join(f"![{Path(file).stem}]({file})\n\n" for file in _pictures(name, found))
        + "\n".join(rows)
        + f"\n\n`plausible claims {name} --seed {seed}`\n"
    )


def _pictures(name: str, found: Claimed) -> dict[str, Figure]:
    """{file: what it shows}."""
    beside = {} if found.beside is None else {f"{name}-beside.png": found.beside}
    return {f"{name}.png": found.figure, **beside}


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|")
