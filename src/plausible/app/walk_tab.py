"""Walk: between two picks of z, along its principal directions by sliders, and with a Markov chain."""

from typing import Any

import gradio as gr

from plausible.app import controls
from plausible.app.controls import OfRun
from plausible.app.refusals import in_words
from plausible.app.walks import MOST_STEPS, PICKS, REACH, SLIDERS, Place, Walks, chain, size_of_z
from plausible.app.workplace import Workplace
from plausible.tasks import Abilities, Trained

_CHAINS = 36
_ALONG = """<h2>Along the directions in which x changes most</h2>
<p>Each slider moves z from the draw where walks begin, in standard deviations.</p>"""


def walk_tab(work: Workplace, run: gr.Dropdown) -> OfRun:
    """The controls of the tab."""
    walks, said = Walks(work), gr.HTML()
    with gr.Column(visible=False) as latent:
        place, last, picks = _picks(walks, run)
        between = _between(walks, run, [*place, last])
        along = _along(walks, run, place)
    with gr.Column(visible=False) as by_chain:
        gr.HTML("<h2>By its Markov chain</h2>")
        label, film = _chain(work, run)

    def suit(trained: Trained | None, can: Abilities) -> list[Any]:
        can_walk = can.latent or can.chain
        without = "which has neither a latent z nor a Markov chain to walk with."
        drawn = walks.gallery(trained, Place()) if trained is not None and can.latent else None
        sliders = size_of_z(trained) if trained is not None and can.latent else 0
        return [
            controls.instead(trained, can_walk, without),
            gr.Column(visible=can.latent),
            controls.classes(can.labels),
            drawn,
            controls.hidden(),
            *along.suited(sliders),
            gr.Column(visible=can.chain),
            controls.classes(can.labels),
            controls.hidden(),
        ]

    return OfRun(
        [latent, by_chain],
        [said, latent, place[0], picks, between, *along.controls, by_chain, label, film],
        suit,
    )


def _picks(walks: Walks, run: gr.Dropdown) -> tuple[list[Any], gr.Slider, gr.Gallery]:
    """Where walks begin, [label, seed, number], where one ends, and the draws to pick them from."""
    with gr.Row():
        label = controls.of_class()
        seed = controls.whole("Seed", info="Of the draws to pick from.")
        first = gr.Slider(1, PICKS, 1, step=1, label="Begin at draw", elem_id="first", buttons=[])
        last = gr.Slider(1, PICKS, 2, step=1, label="End at draw", elem_id="last", buttons=[])
    picks = gr.Gallery(
        label="Draws to pick from: a click makes one the end, and the end before it the beginning",
        columns=8,
        height="auto",
        format="png",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="picks",
    )

    def drawn(name: str | None, label: str, seed: float | None) -> Any:
        return walks.picks(name, Place(label, seed))

    def picked(event: gr.SelectData, last: float) -> list[Any]:
        return [last, event.index + 1]

    gr.on(
        [label.input, seed.input],
        in_words(drawn),
        [run, label, seed],
        picks,
        concurrency_id="model",
    )
    picks.select(picked, last, [first, last], show_progress="hidden")
    return [label, seed, first], last, picks


def _between(walks: Walks, run: gr.Dropdown, place: list[Any]) -> gr.Image:
    """The way from the first to the last."""
    go = gr.Button("Walk from one to the other", variant="primary", elem_id="between")
    way = controls.picture("The way", "the way from one draw to the other", "way")

    def between(name: str | None, label: str, seed: float | None, first: float, last: float) -> Any:
        return controls.show(walks.between(name, Place(label, seed, first), last))

    go.click(in_words(between), [run, *place], way, concurrency_id="model")
    return way


class _Along:
    """Sliders along the directions of z, hidden until those were found."""

    def __init__(self) -> None:
        gr.HTML(_ALONG)
        self.find = gr.Button("Find the directions", variant="primary", elem_id="find")
        with gr.Row(visible=False) as self.whole:
            with gr.Column(scale=2, min_width=300):
                self.sliders = [
                    gr.Slider(
                        -REACH, REACH, 0, step=0.1, buttons=[], elem_id=f"direction-{k}",
                        label=f"Direction {k}",
                    )
                    for k in range(1, SLIDERS + 1)
                ]  # fmt: skip
                self.back = gr.Button("Back to the draw", elem_id="to-draw")
            with gr.Column(scale=3, min_width=300):
                what = "what the model draws where the sliders stand"
                self.here = controls.picture("Where the sliders stand", what, "here")
        self.strips = controls.picture(
            "What each does by itself", "walks along each direction by itself", "strips"
        )

    @property
    def controls(self) -> list[Any]:
        """In the order of ``suited``."""
        return [self.whole, self.here, self.strips, *self.sliders]

    def suited(self, coordinates: int) -> list[Any]:
        """As before anything was found, for a z of so many coordinates."""
        sliders = [gr.Slider(value=0, visible=k < coordinates) for k in range(SLIDERS)]
        return [gr.Row(visible=False), controls.hidden(), controls.hidden(), *sliders]


def _along(walks: Walks, run: gr.Dropdown, place: list[Any]) -> _Along:
    tab = _Along()

    def found(
        name: str | None, label: str, seed: float | None, first: float, *amounts: float,
        progress: Any = gr.Progress(),  # noqa: B008
    ) -> list[Any]:  # fmt: skip
        sheet = walks.strips(
            name, label, lambda share: progress(share, desc="looking for directions")
        )
        here = walks.here(name, Place(label, seed, first), list(amounts))
        return [gr.Row(visible=True), controls.show(here), controls.show(sheet)]

    def moved(
        name: str | None, label: str, seed: float | None, first: float, *amounts: float
    ) -> Any:
        return controls.show(walks.here(name, Place(label, seed, first), list(amounts)))

    asked = [run, *place, *tab.sliders]
    tab.find.click(
        in_words(found), asked, [tab.whole, tab.here, tab.strips], concurrency_id="model"
    )
    gr.on(
        [slider.input for slider in tab.sliders],
        in_words(moved),
        asked,
        tab.here,
        concurrency_id="model",
        show_progress="hidden",
        trigger_mode="always_last",
    )
    tab.back.click(lambda: [0.0] * SLIDERS, None, tab.sliders, show_progress="hidden").then(
        in_words(moved), asked, tab.here, concurrency_id="model", show_progress="hidden"
    )
    return tab


def _chain(work: Workplace, run: gr.Dropdown) -> tuple[gr.Dropdown, gr.Image]:
    """The walk of Markov chains from where they begin."""
    most = work.limits.max_samples
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            n = gr.Slider(1, most, min(_CHAINS, most), step=1, label="Chains", buttons=[])
            steps = gr.Slider(1, MOST_STEPS, 50, step=1, label="Steps", buttons=[])
            seed, label = controls.whole("Seed"), controls.of_class()
            go = gr.Button("Let them walk", variant="primary", elem_id="chain")
        with gr.Column(scale=3, min_width=300):
            film = controls.picture(
                "The walk, from its beginning", "chains that walk to the data", "film"
            )

    def walked(name: str | None, n: float, steps: float, seed: float | None, label: str) -> Any:
        return controls.show(chain(work, name, int(n), int(steps), seed, label))

    go.click(in_words(walked), [run, n, steps, seed, label], film, concurrency_id="model")
    return label, film
