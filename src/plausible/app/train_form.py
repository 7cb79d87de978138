"""What a person fills in to begin a training, and what it becomes: flags of ``plausible train``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from plausible import figures
from plausible.app.pictures import as_image
from plausible.app.workplace import Workplace
from plausible.core.errors import UsageError
from plausible.data.options import Options
from plausible.runs import default_folder
from plausible.tasks import Family, describe, families_for

ENOUGH, ROUNDS, MINUTES = "what suits the model", "so many rounds", "so many minutes"
AS_THEY_ARE = "as they are"
GREY_VALUES = (AS_THEY_ARE, "threshold", "static", "dynamic")


@dataclass(frozen=True)
class Choice:
    """Which data, and how they are shaped.

    options  {field of ``Options``: value} of what is not decided from the data.
    """

    source: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Looked:
    """What is in a data set, and who can learn from it."""

    choice: Choice
    name: str
    facts: dict[str, str]
    notes: tuple[str, ...]
    picture: Image.Image
    families: tuple[Family, ...]
    images: bool

    def family(self, name: str | None) -> Family | None:
        """The family of this name; None where there is none."""
        return next((one for one in self.families if one.name == name), None)


@dataclass(frozen=True)
class Wish:
    """How to learn: ``amount`` of the rounds or minutes that ``budget`` speaks of."""

    family: str | None
    budget: str = ENOUGH
    amount: float | None = None
    by_class: bool = False
    seed: float | None = 0
    judge: bool = True
    name: str | None = None


def choice(
    work: Workplace,
    source: str | None,
    size: str | None = None,
    grey: str = AS_THEY_ARE,
    label: str | None = None,
    drop: str | None = None,
) -> Choice:
    """The form as it stands; what is left empty is decided from the data."""
    asked = {
        "size": (size or "").strip(),
        "binarise": "" if grey == AS_THEY_ARE else grey,
        "label": (label or "").strip(),
        "drop": tuple(name.strip() for name in (drop or "").split(",") if name.strip()),
    }
    return Choice(work.source(source), {name: value for name, value in asked.items() if value})


def look(chosen: Choice, progress: Callable[[int, int], None] | None = None) -> Looked:
    """Read a data set, and ask every family whether it can learn from it."""
    found = describe(chosen.source, Options(**chosen.options), progress)
    data = found.data
    picture = figures.picture(data.space, found.examples, columns=data.columns)
    return Looked(
        chosen,
        data.name,
        dict(found.facts),
        found.notes,
        as_image(picture),
        families_for(data),
        data.space.is_image,
    )


def begin(work: Workplace, looked: Looked | None, now: Choice, wish: Wish) -> str:
    """Start the training in a process of its own; the name of its run.

    now  the form as it stands: UsageError where it is no longer what was looked at.
    """
    if looked is None or looked.choice != now:
        raise UsageError("look at the data first: which families suit them is read from them")
    family = looked.family(wish.family)
    if family is None or not family.fits:
        raise UsageError(f"choose a family of models that suits {looked.name}")
    name = (wish.name or "").strip() or default_folder(family.name, looked.name).name
    work.trainings.start(name, family.name, train_flags(looked.choice, family, wish))
    return name


def train_flags(chosen: Choice, family: Family, wish: Wish) -> list[str]:
    """What was filled in as flags of ``plausible train``."""
    flags = ["--data", chosen.source]
    for name, value in chosen.options.items():
        words = value if isinstance(value, tuple) else (value,)
        if any(word.startswith("-") for word in words):
            raise UsageError(f"{' '.join(words)} reads like a flag: no choice begins with a dash")
        flags += [f"--{name}", *words]
    if family.rounds is not None:
        flags += budget_flags(wish.budget, wish.amount)
    if wish.by_class and family.by_class:
        flags.append(f"--{family.by_class.replace('_', '-')}")
    flags += ["--seed", str(int(wish.seed or 0))]
    return flags if wish.judge else [*flags, "--no-evaluate"]


def budget_flags(budget: str, amount: float | None) -> list[str]:
    """--steps or --minutes; none where the model has what suits it."""
    if budget == ENOUGH:
        return []
    rounds = budget == ROUNDS
    what = "rounds" if rounds else "minutes"
    if amount is None or amount <= 0 or (rounds and amount != int(amount)):
        raise UsageError(f"the number of {what} must be {'whole and ' * rounds}more than 0")
    return ["--steps", str(int(amount))] if rounds else ["--minutes", f"{amount:g}"]
