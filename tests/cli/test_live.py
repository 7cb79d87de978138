"""What a person sees while a model trains, at 80 columns and in a pipe, and what is said of the time it takes."""

import time
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console
from tests.conftest import make_data

from plausible import GAN, Space
from plausible.cli import console as consoles
from plausible.cli import live
from plausible.core.game import Clock
from plausible.tasks.expect import Expected
from plausible.training import Settings, Step

GREY = Space((1, 8, 8), 17)
SAID = {
    "discriminator": {"loss": 0.6931, "game": 1.2, "r1": 0.1, "r2": 0.2, "D(x)": 0.61, "D(G(z))": 0.39, "augment": 0.0, "gradient norm": 0.123},
    "generator": {"loss": 0.8, "gradient norm": 12.345},
}  # fmt: skip
NOISE = {"diffusion": {"loss": 1.4, "loss at least noise": 1.3, "loss at most noise": 1.5}}


def training(space=GREY, finished=True, total=1500):
    return SimpleNamespace(
        raw=GAN(space, GAN.Config(width=4)),
        settings=Settings(steps=total),
        finished=finished,
        data=make_data(space),
        weights={"generator": []},
    )


def steps(n, values, total=1500):
    for k in range(n):
        scalars = {
            who: {name: torch.tensor(value) for name, value in said.items()}
            for who, said in values.items()
        }
        yield Step(Clock(k, 64 * k, k / total), scalars)


def printed(renderable):
    record = Console(width=80, force_terminal=True, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    record.print(renderable)
    return record.export_text()


def shown(values=SAID, n=1500, **choices):
    """What stands in a pipe, or a log."""
    record = Console(width=80, force_terminal=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    assert len(list(live.show_progress(steps(n, values), training(**choices), record))) == n
    return record.export_text()


def test_the_live_table_is_in_words_and_fits_80_columns():
    text = printed(live.players_table(live.readable(SAID)))
    lines = text.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert lines[0].split() == ["loss", "data", "real", "samples", "real", "gradient"]
    assert lines[1].split() == ["discriminator", "0.6931", "61%", "39%", "0.123"]
    assert lines[2].split() == ["generator", "0.8", "12.3"]
    assert not any(name in text for name in ("r1", "D(x)", "game", "augment"))


def test_of_losses_by_noise_level_only_the_loss_is_shown():
    assert live.readable(NOISE) == {"diffusion": {"loss": "1.4"}}
    assert live.readable({"a": {"cost": 1.0, "b": 2.0}}) == {"a": {"cost": "1", "b": "2"}}


def test_a_terminal_shows_every_step_too():
    record = Console(width=80, force_terminal=True, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    assert len(list(live.show_progress(steps(9, SAID), training(total=9), record))) == 9
    text = record.export_text()
    assert "round 9 of 9, done, " in text
    assert "cannot tell" in text


def test_rows_are_no_images_and_a_stopped_training_has_no_time_left():
    text = shown(space=Space((3,)), finished=False, n=40)
    assert "round 40 of 1,500, stopped, " in text
    assert "rows/s" in text
    assert "left" not in text
    assert "%" not in text.partition(";")[0]


def test_a_fit_that_has_converged_is_done_not_half_way():
    fitted = {"mixture": {"log likelihood": -1.5}}
    (line,) = shown(fitted, n=700).splitlines()
    assert line.startswith("round 700, done, ")
    assert line.endswith("; mixture: log likelihood = -1.5")


def test_in_a_pipe_a_line_comes_soon_and_then_every_half_minute(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(live.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(live, "_PATIENCE", 1e9)

    def ticking(n):
        for step in steps(n, SAID):
            now[0] += 1.0
            yield step

    record = Console(width=80, force_terminal=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    monkeypatch.setattr(live, "_ROUNDS", 10**9)
    list(live.show_progress(ticking(100), training(finished=False), record))
    rounds = [int(line.split()[1]) for line in record.export_text().splitlines()]
    assert rounds == [5, 35, 65, 95, 100]


def test_after_the_first_rounds_it_is_said_what_to_expect(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(live.time, "perf_counter", lambda: now[0])

    def ticking(n):
        for step in steps(n, SAID):
            now[0] += 0.1 + 5 * (step.clock.step == 0)  # the first prepares much
            yield step

    record = Console(width=300, force_terminal=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    begun = training()
    begun.clock, begun.seconds = Clock(step=12), 6.0
    list(live.show_progress(ticking(30), begun, record))
    assert "about 10 rounds/s: 3 min for 1,500 rounds, then about 19 s to judge\n" in (
        record.export_text()
    )


@pytest.mark.parametrize(
    ("expected", "judged", "words"),
    [
        (
            Expected(21.0, 5000, 238.0, 58.0, False, 1500, None),
            True,
            "about 21 rounds/s: 4 min for 5,000 rounds, then about 1 min to judge",
        ),
        (
            Expected(1 / 18, 100, 1800.0, 9.0, True, 20000, (64, 128, 0.25)),
            False,
            "about 18.0 s a round: 30 min for 100 rounds; it needs about 20,000 rounds, so this will be too "
            "short to judge; --size 64 (now 128) would take about 25% of the time",
        ),
    ],
)
def test_what_to_expect_is_a_sentence(expected, judged, words):
    assert live.expectation(expected, judged) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (8, "8 s"), (43, "40 s"), (58, "1 min"), (5000, "83 min"), (9000, "2.5 h")],
)
def test_durations_are_rough(seconds, words):
    assert live.about(seconds) == words


def test_a_silent_stage_says_in_a_pipe_that_it_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(consoles, "LINES_EVERY", 0.02)
    with consoles.progress_bar("reading") as progress:
        progress("drawing samples", 0.0)
        said = []
        while len(said) < 2:  # however slow the machine is
            time.sleep(0.01)
            said += capsys.readouterr().out.splitlines()
    assert said[0] == "drawing samples (0 s so far)"
