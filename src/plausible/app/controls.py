"""Controls that several tabs have, each with its label and, of a picture, what one hears of it who does not see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from plausible.app import markup
from plausible.tasks import Abilities, Trained

ANY = "any class"
"""The choice of a class where none is asked for."""


@dataclass(frozen=True)
class OfRun:
    """Controls of a tab, and how they change to suit a run: only what its model can do is shown.

    wholes  what holds all of them, hidden until they suit another run that was chosen.
    suit    from a model, None where there is nothing to ask yet, and its abilities to an update of each control.
    """

    wholes: list[Any]
    controls: list[Any]
    suit: Callable[[Trained | None, Abilities], list[Any]]


def instead(trained: Trained | None, has: bool, without: str) -> gr.HTML:
    """What is said in the place of a tab that has nothing to show for a run: why."""
    if trained is None:
        said = "Choose a run that has learned something, above."
    else:
        said = "" if has else f"{trained.described}, {without}"
    return gr.HTML(markup.paragraph(said), visible=bool(said))


def picture(label: str, alt: str, name: str) -> gr.Image:
    """A place for a picture that a task returned, hidden until there is one."""
    return gr.Image(
        label=label,
        alt_text=alt,
        format="png",
        interactive=False,
        buttons=["fullscreen", "download"],
        visible=False,
        elem_id=name,
    )


def show(image: Any) -> gr.Image:
    """The picture that a place shows now; None hides the place."""
    return gr.Image(image, visible=image is not None)


def hidden() -> gr.Image:
    """A place that shows no picture any more."""
    return gr.Image(None, visible=False)


def whole(
    label: str, value: int = 0, info: str | None = None, name: str | None = None
) -> gr.Number:
    """A whole number of at least 0, such as a seed."""
    return gr.Number(value, label=label, info=info, precision=0, minimum=0, elem_id=name)


def of_class(labels: tuple[str, ...] = (), name: str | None = None) -> gr.Dropdown:
    """One class or any; hidden where the model takes no label."""
    return gr.Dropdown([ANY, *labels], value=ANY, label="Class", visible=bool(labels), elem_id=name)


def classes(labels: tuple[str, ...]) -> gr.Dropdown:
    """The same for another run."""
    return gr.Dropdown([ANY, *labels], value=ANY, visible=bool(labels))
