"""The page of a model that is given away: what it is, what was found when it was judged, what it cannot, how to open it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from plausible.core.errors import one_line
from plausible.core.likelihood import Kind
from plausible.core.model import Explicit, Generative
from plausible.data.mark import SOURCE_TYPE
from plausible.evaluation.report import Report
from plausible.evaluation.verdict.verdict import State, TestResult
from plausible.runs import Run
from plausible.tasks.course import items_of
from plausible.tasks.headline import Headline, headline, kept_advice
from plausible.tasks.mark import weights_hash
from plausible.tasks.provenance import judged_when, shape_in_words
from plausible.tasks.report import kept_evaluation
from plausible.tasks.trained import Trained, described

_KNOWN = {
    Kind.EXACT: "says log p(x) exactly",
    Kind.LOWER: "bounds log p(x) from below",
    Kind.UPPER: "bounds log p(x) from above",
    Kind.ESTIMATE: "estimates log p(x)",
}
_SPECIAL = "\\`*_[]<>|#"


@dataclass(frozen=True)
class ModelCard:
    """What its page says.

    title, kind  the model of what, and what learned, as in a sentence.
    tags, task  for the lists of the hub; no task where it has none for such a model.
    data       what its data are called, how many and what they are; ``source`` is where everybody finds them, if so.
    judged     when, by how many samples and from which seed; empty where it was not.
    headline   the verdict in words.
    defects    what was tested, and ``undefined`` what has no answer, each with the reason.
    copies     whether it copied.
    limits     what else to know before it is used.
    weights    SHA-256 of the weights.
    place      where it is.
    """

    title: str
    kind: str
    size: int
    tags: tuple[str, ...]
    task: str
    data: str
    source: str
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    judged: str
    headline: Headline
    defects: tuple[TestResult, ...]
    undefined: tuple[tuple[str, str], ...]
    copies: str
    limits: tuple[str, ...]
    weights: str
    version: str
    draws: bool
    place: str
    mark: str = SOURCE_TYPE


def card_of(trained: Trained, config: Mapping[str, Any], place: str, source: str) -> str:
    """The Markdown of a card, its YAML first.

    config  of the run as it is given away.
    place   where it will be, and source where everybody finds its data, empty where nobody does.
    """
    run, model = trained.run, trained.model
    assert run is not None
    judged = kept_evaluation(run)
    draws = isinstance(model, Generative)
    advice = None if judged is None else kept_advice(run, judged, None)
    said = headline(run, judged, advice, draws)
    card = ModelCard(
        title=f"{run.learned} of {config['data']['name']}",
        kind=f"{described(model)}, {_says(trained)}",
        size=sum(param.numel() for param in model.parameters()),
        tags=_tags(trained),
        task="unconditional-image-generation" if draws and model.space.is_image else "",
        data=_data(run, config),
        source=source,
        classes=run.class_names,
        columns=run.columns,
        judged="" if judged is None else judged_when(run, judged),
        headline=said,
        defects=_defects(judged),
        undefined=_undefined(judged),
        copies=_copies(judged, draws),
        limits=_limits(trained),
        weights=weights_hash(model),
        version=config["plausible"] or "",
        draws=draws,
        place=place,
    )
    return _template().render(card=card)


def _says(trained: Trained) -> str:
    """What it does, and what it says about probability."""
    model = trained.model
    if not isinstance(model, Generative):
        return "a classifier, p(y | x)"
    about = "p(x | y)" if model.conditional else "p(x)"
    if not isinstance(model, Explicit):
        return f"which draws from {about} and cannot say how probable an input is"
    kind = model.kinds.get("log_prob", Kind.ESTIMATE)
    return f"which draws from {about} and {_KNOWN[kind]}"


def _tags(trained: Trained) -> tuple[str, ...]:
    model = trained.model
    kind = "generative-model" if isinstance(model, Generative) else "classification"
    of = "images" if model.space.is_image else "tabular"
    return ("plausible", model.name, kind, of)


def _data(run: Run, config: Mapping[str, Any]) -> str:
    count, items = config["data"]["count"], items_of(run.space)
    how_many = (
        f"{count:,} {items}, of which some were kept to judge it by"
        if count
        else f"{items}, nobody noted how many"
    )
    return f"{config['data']['name']}: {how_many}; {shape_in_words(run)}"


def _defects(judged: Report | None) -> tuple[TestResult, ...]:
    results = () if judged is None or judged.verdict is None else judged.verdict.results
    return tuple(result for result in results if result.state is not State.UNDEFINED)


def _undefined(judged: Report | None) -> tuple[tuple[str, str], ...]:
    """What has no answer for these data or this model, with the reason: defects and measures."""
    if judged is None:
        return ()
    results = () if judged.verdict is None else judged.verdict.results
    found = [(r.name, r.sentence) for r in results if r.state is State.UNDEFINED]
    return (*found, *((m.name, m.note) for m, _ in judged.measures if m.value is None))


def _copies(judged: Report | None, draws: bool) -> str:
    if not draws:
        return ""
    tested = next((result for result in _defects(judged) if result.name == "copies"), None)
    if tested is None:
        return "Whether it draws copies of what it learned from was not tested."
    lead = {State.PASS: "No", State.FAIL: "Yes"}.get(tested.state, "Not decided")
    return f"{lead}: {tested.sentence}."


def _limits(trained: Trained) -> tuple[str, ...]:
    """What it was made for, which is no more than its data."""
    run, space = trained.run, trained.model.space
    assert run is not None
    found = [f"It knows {shape_in_words(run)}, and nothing but what its data showed."]
    if run.progress is not None and run.progress < 1:
        found.append("Its training was not finished.")
    if not space.is_image and space.whole:
        found.append(
            f"Of its {space.dims} coordinates {len(space.whole)} are rounded to whole numbers."
        )
    return tuple(found)


def _text(text: object) -> str:
    """Anything as it is in Markdown, on one line: names of classes and columns are somebody's own."""
    plain = one_line(str(text))
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in plain)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_text, names))


@cache
def _template() -> Any:
    """That of the card, whose words are escaped where they are somebody's own; YAML is quoted as JSON, which it takes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # for a card alone

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    templates.filters |= {"text": _text, "listed": _listed, "quoted": json.dumps}
    return templates.get_template("model_card.md")
