"""The page: the run that is looked at, and a tab for each thing that one does with it."""

from typing import Any

import gradio as gr

from plausible.app.ask_tab import ask_tab
from plausible.app.compare_tab import compare_tab
from plausible.app.refusals import in_words
from plausible.app.sample_tab import sample_tab
from plausible.app.train_tab import train_tab
from plausible.app.walk_tab import walk_tab
from plausible.app.watch_tab import watch_tab
from plausible.app.workplace import Workplace
from plausible.tasks import Abilities, abilities_of

_HEAD = """<header><h1>plausible</h1>
<p>Learns a distribution from your data, draws from it, and says honestly whether it worked.</p></header>"""
_UPLOADS = (600, 3600)  # seconds between two looks for files of the page that are older than this


def make_page(work: Workplace) -> gr.Blocks:
    """All controls, with nothing of a model read yet."""
    with gr.Blocks(title="plausible", analytics_enabled=False, delete_cache=_UPLOADS) as page:
        ready = gr.State(None)
        with gr.Row(elem_id="which"):
            with gr.Column(scale=3, min_width=300):
                gr.HTML(_HEAD)
            run = gr.Dropdown([], label=f"Run, of those in {work.folder}", scale=2, elem_id="run")
            refresh = gr.Button("Look again", size="sm", scale=0, min_width=120, elem_id="refresh")
        first = "sample" if work.chosen else "train"
        with gr.Tabs(selected=first, overflow_behavior="wrap") as tabs:
            with gr.Tab("Train", id="train"):
                train_tab(work, run, tabs)
            with gr.Tab("Watch", id="watch"):
                watch = watch_tab(work, run, ready)
            with gr.Tab("Sample", id="sample"):
                sample = sample_tab(work, run)
            with gr.Tab("Walk", id="walk"):
                walk = walk_tab(work, run)
            with gr.Tab("Ask", id="ask"):
                ask = ask_tab(work, run)
            with gr.Tab("Compare", id="compare") as compare:
                compare_tab(work, page, compare)

        def known(now: str | None) -> Any:
            names = work.names()
            first = work.chosen if work.chosen in names else next(iter(names), None)
            return gr.Dropdown(names, value=now if now in names else first)

        def suit(name: str | None) -> list[Any]:
            trained = work.open(name) if work.ready(name) else None
            can = Abilities() if trained is None else abilities_of(trained)
            return [update for tab in (sample, walk, ask) for update in tab.suit(trained, can)]

        of_run = (sample, walk, ask)
        controls = [control for tab in of_run for control in tab.controls]
        wholes = [whole for tab in of_run for whole in tab.wholes]
        run.change(None, None, wholes, js=_hidden(len(wholes)))
        run.change(*watch, show_progress="hidden")
        ready.change(in_words(suit), run, controls, concurrency_id="model", show_progress="hidden")
        gr.on([page.load, refresh.click], known, run, run, show_progress="hidden")
    return page


def _hidden(n: int) -> str:
    """What hides so many controls at once, in the browser: no click shall reach what suits another run."""
    return f"() => Array({n}).fill({{__type__: 'update', visible: false}})"
