"""See a training learn: how far it is, its curves, samples and alarms; stop it, and go on with it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from plausible.app import controls
from plausible.app.refusals import in_words
from plausible.app.train_form import ENOUGH, MINUTES, ROUNDS, budget_flags
from plausible.app.watching import Seen, View, page_of, seen, view
from plausible.app.workplace import Workplace

_EVERY = 2.0  # seconds between two looks at a training that goes on
_OWN = "to its own budget"


@dataclass
class _Controls:
    """Those of the tab."""

    timer: gr.Timer
    head: gr.HTML
    stop: gr.Button
    again: gr.Accordion
    budget: gr.Radio
    amount: gr.Number
    resume: gr.Button
    samples: gr.Image
    curves: gr.Image
    alarms: gr.HTML
    judged: gr.HTML
    printed: gr.HTML
    saved: gr.Row
    report: gr.Button
    page: gr.File

    @property
    def shown(self) -> list[Any]:
        """What changes while a training goes on, as ``_updates`` has it."""
        return [
            self.timer, self.head, self.stop, self.again, self.samples, self.curves, self.alarms, self.judged,
            self.printed, self.saved, self.page,
        ]  # fmt: skip


def watch_tab(work: Workplace, run: gr.Dropdown, ready: gr.State) -> tuple[Any, Any, Any]:
    """The controls of the tab, and what is to happen where another run is chosen: function, inputs, outputs.

    ready  a state that changes where another run is chosen, or this one has got weights, for the tabs that ask the model.
    """
    last, tab = gr.State(None), _controls()
    shown = [last, ready, *tab.shown]

    def show(name: str | None, before: Seen | None) -> Any:
        now = seen(work, name)
        if now == before or not name:
            return [gr.skip()] * len(shown)
        return [now, (name, work.ready(name)), *_updates(view(work, name))]

    def stop_it(name: str | None) -> Any:
        work.trainings.stop(str(name))
        return gr.Button("Stopping: it saves what it has", interactive=False)

    def go_on(name: str | None, budget: str, amount: float | None) -> Any:
        work.run(name)
        work.trainings.resume(str(name), budget_flags(budget, amount))
        return gr.Timer(active=True)

    look = in_words(show)
    tab.timer.tick(look, [run, last], shown, show_progress="hidden")
    tab.stop.click(in_words(stop_it), run, tab.stop)
    tab.resume.click(in_words(go_on), [run, tab.budget, tab.amount], tab.timer).then(
        look, [run, last], shown, show_progress="hidden"
    )
    tab.report.click(
        in_words(lambda name: gr.File(page_of(work, name), visible=True)),
        run,
        tab.page,
        concurrency_id="model",
    )
    tab.budget.input(
        lambda budget: gr.Number(visible=budget != ENOUGH),
        tab.budget,
        tab.amount,
        show_progress="hidden",
    )
    return look, [run, last], shown


def _controls() -> _Controls:
    timer, head = gr.Timer(_EVERY), gr.HTML(elem_id="progress")
    stop = gr.Button("Stop and save", variant="stop", visible=False, elem_id="stop")
    with gr.Row():
        with gr.Column(min_width=300):
            what = "samples of the model as it is now"
            samples = controls.picture("Samples, always of the same noise", what, "samples")
        with gr.Column(min_width=300):
            curves = controls.picture(
                "Curves", "the curves of the training, with its alarms", "curves"
            )
            alarms = gr.HTML(elem_id="alarms")
    judged = gr.HTML(elem_id="judged")
    with gr.Accordion("Go on with it", open=False, visible=False) as again:
        ways: list[Any] = [(_OWN, ENOUGH), ROUNDS, MINUTES]
        budget = gr.Radio(ways, value=ENOUGH, label="How far", elem_id="go-on")
        amount = gr.Number(
            1000, label="In all", info="What was played before counts.", minimum=0, visible=False,
            elem_id="total",
        )  # fmt: skip
        resume = gr.Button("Go on", variant="primary", elem_id="resume")
    with gr.Accordion("What it printed", open=False):
        printed = gr.HTML()
    with gr.Row(visible=False) as saved:
        report = gr.Button("Make a page of it, to keep or to send", elem_id="report")
        page = gr.File(label="The page", interactive=False, visible=False, elem_id="page")
    return _Controls(
        timer, head, stop, again, budget, amount, resume, samples, curves, alarms, judged, printed, saved, report,
        page,
    )  # fmt: skip


def _updates(now: View) -> list[Any]:
    return [
        gr.Timer(active=now.alive or now.elsewhere),
        now.head,
        gr.Button("Stop and save", visible=now.alive, interactive=True),
        gr.Accordion(visible=now.resumable),
        controls.show(now.samples),
        controls.show(now.curves),
        now.alarms,
        now.judged,
        now.printed,
        gr.Row(visible=now.saved),
        gr.File(None, visible=False),
    ]
