"""plausible diagnose."""

from rich.console import Console

from plausible import runs
from plausible.cli import display
from plausible.cli.commands.files import place, progress
from plausible.cli.menu import Diagnose
from plausible.diagnosis import History, alarmed, joined, to_json
from plausible.diagnosis import diagnose as checked
from plausible.runs.logger import earlier


def diagnose(asked: Diagnose, console: Console) -> None:
    """plausible diagnose RUN: every alarm of its log and every check, on the screen and in findings.json."""
    run = runs.Run(asked.run_folder)
    model, data = run.model(place(asked.device)), run.data()
    with progress(console) as bar:
        task = bar.add_task("checking", total=None)
        found = checked(
            model, data, asked.seed, lambda name: bar.update(task, description=f"checking: {name}")
        )
    logged = [*earlier(run), *alarmed(History.read(run.folder / "log.jsonl"))]
    found = joined(logged, found)
    if found:
        console.print(display.findings(found), highlight=False)
    else:
        console.print(
            f"nothing to go by: this training was not watched, and there is no check of a trained {model.name}",
            highlight=False,
        )
    path = run.write("findings.json", to_json(found))
    console.print(f"all of it in {path}", highlight=False, soft_wrap=True)
