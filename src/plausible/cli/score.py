"""plausible score."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plausible.cli.checks import check_output
from plausible.cli.command import commands
from plausible.cli.console import progress_bar, say
from plausible.cli.questions import SHOWN, Questions, table

if TYPE_CHECKING:
    from plausible.data.inputs import Inputs
    from plausible.recognition.recogniser import Plausibility
    from plausible.tasks import Trained

_LONG = 1e9  # nats beyond which digits say nothing
_PICTURED = 16  # inputs of a heat map


@commands
@dataclass(frozen=True)
class Score(Questions):
    """How plausible is it?  log p(x), its place among held-out data, and a p-value.

    Example: plausible score runs/naive-bayes-mnist-20260101-120000 photo.png --out scores.csv
    """

    map: str | None = None
    """Where to draw -log p of every pixel of the inputs (.png), of an autoregressive model."""

    def run(self) -> None:
        """Score the inputs, show and write the rows."""
        self.check()
        if self.map is not None:
            check_output(self.map, (".png",), self.overwrite, "--map")
        from plausible.recognition.conformal import most_extreme
        from plausible.recognition.recogniser import LEVEL
        from plausible.tasks import score

        trained, inputs, how = self.asked()
        if self.map is not None:
            from plausible.tasks.complete import autoregressive

            autoregressive(trained, "--map")
        with progress_bar("looking at the inputs"):
            found = score(trained, inputs, **how)
        columns = ("input", "log p(x), nats", "at most as probable", "p, by validation data")
        refused = sum(row.implausible for row in found)
        called = {
            "either": "likelihood or complexity",
            "combined": "likelihood, complexity and distance from the training part",
            "noise": "the noise they are mapped to",
        }
        rate = self.false_discovery_rate
        at = f"{LEVEL:.0%}" if rate is None else f"a false discovery rate of {rate:g}"
        title = (
            f"{refused:,} of {len(found):,} input{'s' * (len(found) != 1)} implausible at {at}, "
            f"by {called.get(found.novelty, found.novelty)}"
        )
        shown = table(title, columns, left=("input",))
        for row in found[:SHOWN]:
            below = f"{row.percentile:.1%} of held-out"
            extreme = "" if row.implausible else most_extreme(row.p, found.compared, LEVEL)
            said = "implausible" if row.implausible else extreme
            p = f"{row.p:.2g}, {said}" if said else f"{row.p:.2g}"
            shown.add_row(row.name, _nats(row), below, p)
        self.show(found.notes, shown, [asdict(row) for row in found])
        if self.map is not None:
            _draw_map(trained, inputs, self.map)
            say(f"-log p of every pixel in {self.map}")


def _draw_map(trained: "Trained", inputs: "Inputs", out: str) -> None:
    """Images and below each its pixels' -log p, of the first inputs."""
    from plausible import figures
    from plausible.tasks import surprisal
    from plausible.tasks.save import save_bytes

    part = inputs.part.rows(slice(0, _PICTURED))
    nats = surprisal(trained, part)
    save_bytes(Path(out), figures.png(figures.heatmap(part.as_batch().x, nats)))


def _nats(row: "Plausibility") -> str:
    error = "" if row.stderr is None else f" ± {row.stderr:.2g}"
    number = f"{row.log_prob:,.1f}" if abs(row.log_prob) < _LONG else f"{row.log_prob:.4g}"
    return f"{row.sign} {number}{error}"
