"""The functions behind the controls of the app, without a browser: what they return, refuse and leave alone."""

import io
import os
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import refused

import plausible
from plausible.app import markup
from plausible.app.limits import Limits
from plausible.app.pictures import as_image
from plausible.app.train_form import (
    choice,
    look,
)
from plausible.app.workplace import Workplace
from plausible.cli.main import main
from plausible.core.errors import UsageError
from plausible.data.mark import is_marked
from plausible.tasks.watch import Raised

HOSTILE = "<img src=x onerror=alert(1)>"


class App:
    """Modules of the app, imported when they are first used: gradio takes two seconds, also where nothing is tested."""

    def __getattr__(self, name):
        return import_module(f"plausible.app.{name}")


app = App()


def test_runs_are_named_by_their_path_and_nothing_else_is_opened(work, runs):
    assert set(work.names()) == {"bayes", "gan", "rbm", "pixelcnn", "logistic", "deeper/ring"}
    assert work.open("deeper/ring").model.name == "mixture"
    assert work.open("bayes") is work.open("bayes")
    for name in ("../../etc", "none", "", None, str(runs / "bayes" / ".." / ".." / "elsewhere")):
        with pytest.raises(UsageError):
            work.open(name)


def test_other_weights_are_opened_anew(runs, tmp_path):
    work = Workplace(tmp_path)
    plausible.fit("naive-bayes", "digits", out=tmp_path / "one")
    before = work.open("one")
    os.utime(tmp_path / "one" / "weights.safetensors", (1, 1))
    assert work.open("one") is not before


def test_a_page_that_others_reach_reads_only_names_and_the_current_folder(tmp_path, monkeypatch):
    inside, outside = tmp_path / "here" / "a.npz", tmp_path / "b.npz"
    (tmp_path / "here").mkdir()
    for path in (inside, outside):
        np.savez(path, x=np.zeros((12, 2)))
    monkeypatch.chdir(tmp_path / "here")
    here, everywhere = Workplace(tmp_path), Workplace(tmp_path, host="0.0.0.0")
    assert here.local
    assert not everywhere.local
    for work in (here, everywhere):
        assert work.source("digits") == "digits"
        assert work.source("a.npz") == "a.npz"
    assert here.source(str(outside)) == str(outside)
    with pytest.raises(UsageError, match="outside of"):
        everywhere.source(str(outside))
    with pytest.raises(UsageError, match="outside of"):
        everywhere.source("../b.npz")
    assert here.source("hub:user/name") == "hub:user/name"
    for source in ("hub:user/name", f"hub:{tmp_path}"):  # which others may not have fetched or read
        with pytest.raises(UsageError, match="outside of"):
            everywhere.source(source)


@pytest.mark.parametrize("source", ["", None, "digit", "/none/there", "--init"])
def test_data_that_are_not_there_are_refused_in_words(empty, source):
    with pytest.raises(UsageError):
        empty.source(source)


def test_a_data_set_is_looked_at_with_the_families_that_suit_it(empty):
    found = look(choice(empty, "digits"))
    names = [one.name for one in found.families if one.fits]
    assert "gan" in names
    assert "naive-bayes" in names
    assert "mixture" in names
    assert "rbm" not in names
    assert "--binarise" in found.family("rbm").reason
    assert found.facts["shape"] == "1 x 8 x 8"
    assert found.picture.width > 100
    binary = look(choice(empty, "digits", grey="threshold"))
    assert binary.family("rbm").fits
    points = look(choice(empty, "ring"))
    assert points.family("mixture").by_class == "per_class"
    assert not points.family("pixelcnn").fits


def test_samples_are_those_of_the_task(work):
    found = app.draws.draw(
        work, "gan", app.draws.Draw(n=10, label="3", seed=2, truncated=True, truncation=0.5)
    )
    arrays = np.load(found.file)
    expected = plausible.sample(work.folder / "gan", 10, "3", truncation=0.5, seed=2)
    codes = work.open("gan").model.space.codes(expected.x)
    assert (arrays["x"] == codes.numpy()).all()
    assert set(arrays["y"]) == {3}
    assert any("truncated" in note for note in found.notes)
    assert (
        Path(app.draws.draw(work, "deeper/ring", app.draws.Draw(n=5)).file).read_text().count("\n")
        == 5
    )


@pytest.mark.parametrize(
    ("name", "asked", "why"),
    [
        ("gan", dict(n=257), "--max-samples"),
        ("gan", dict(n=0), "--max-samples"),
        ("gan", dict(label="12"), "12"),
        ("bayes", dict(truncated=True), "no z"),
        ("logistic", dict(), "no samples to draw"),
        ("gan", dict(steps=3), "diffusion"),
        (None, dict(), "choose a run"),
    ],
)
def test_samples_that_cannot_be_had_are_refused_in_words(work, name, asked, why):
    with pytest.raises(UsageError, match=why):
        app.draws.draw(work, name, app.draws.Draw(**asked))


def test_walks_begin_and_end_at_their_picks(work):
    gan = work.open("gan")
    drawn_z = plausible.tasks.latent_draws(gan, app.walks.PICKS, "1", seed=5)
    way = plausible.tasks.walk_between_draws(gan, 2, 7, app.walks.PICKS, 5, "1", seed=5)
    assert torch.equal(way[[0, -1]], drawn_z.x[[2, 7]])
    walks, place = app.walks.Walks(work), app.walks.Place("1", 5, 3)
    tiles = walks.picks("gan", place)
    assert len(tiles) == app.walks.PICKS
    assert tiles[2][1] == "3"
    assert walks.between("gan", place, 8).width > 100
    still = walks.here("gan", place, [0.0, 0.0])
    assert still.tobytes() == tiles[2][0].tobytes()
    moved = walks.here("gan", place, [3.0, -3.0, 0, 0, 0, 0])  # z has 4 coordinates
    assert moved.size == still.size
    assert walks.strips("gan", app.controls.ANY).height > 100


def test_what_the_page_has_to_download_says_that_a_model_drew_it(work):
    """What gradio offers are files of these pictures, with the texts that they have."""
    from gradio.processing_utils import encode_pil_to_bytes
    from PIL import Image

    walks, place = app.walks.Walks(work), app.walks.Place("1", 5, 3)
    pictures = [
        app.draws.draw(work, "gan", app.draws.Draw(n=3, seed=2)).picture,
        walks.picks("gan", place)[0][0],
        walks.between("gan", place, 8),
        walks.here("gan", place, [0.0, 0.0]),
        walks.strips("gan", app.controls.ANY),
        Image.open(app.walks.chain(work, "rbm", 2, 3, 0, app.controls.ANY)),
    ]
    assert all(is_marked(picture.info) for picture in pictures)
    kept = Image.open(io.BytesIO(encode_pil_to_bytes(pictures[0])))
    assert is_marked(kept.info)
    inputs = app.asking.seen(
        app.asking.asked(work, "bayes", app.asking.Given(app.asking.ITEM, item=4))
    )
    assert not is_marked(inputs.info)


def test_a_step_along_a_direction_is_one_of_z(work):
    gan = work.open("gan")
    found = plausible.tasks.directions(gan, 2, 3, "1", draws=4)
    z = gan.model.latent(app.walks.PICKS, torch.Generator().manual_seed(5))
    vectors = found.directions.vectors
    x = plausible.tasks.latent_point(gan, vectors, [1.5, -1], 4, app.walks.PICKS, "1", seed=5)
    there = z[4:5] + 1.5 * vectors[0] - vectors[1]
    with torch.no_grad():
        expected = gan.model.decode(there, torch.tensor([1]))
    assert torch.equal(x, gan.model.space.quantise(expected))
    with pytest.raises(UsageError, match="none of the draws"):
        plausible.tasks.latent_point(gan, vectors, [1], app.walks.PICKS, app.walks.PICKS)
    with pytest.raises(UsageError, match="as many directions"):
        plausible.tasks.latent_point(gan, vectors, [1, 1, 1])
    with pytest.raises(UsageError, match="no latent z"):
        plausible.tasks.latent_draws(work.open("bayes"))


def test_a_chain_is_an_animation(work):
    from PIL import Image

    film = Image.open(app.walks.chain(work, "rbm", 4, 6, 0, app.controls.ANY))
    assert film.n_frames > 1
    for n, steps in ((0, 5), (257, 5), (4, 0), (4, 201)):
        with pytest.raises(UsageError, match="ask for"):
            app.walks.chain(work, "rbm", n, steps, 0, app.controls.ANY)
    with pytest.raises(UsageError, match="Markov chain"):
        app.walks.chain(work, "gan", 4, 5, 0, app.controls.ANY)


def test_a_held_out_item_is_classified_and_scored_as_by_the_tasks(work):
    given = app.asking.asked(work, "bayes", app.asking.Given(app.asking.ITEM, item=4))
    said = app.asking.answers(given)
    (answer,) = plausible.classify(work.folder / "bayes", "heldout:4")
    assert answer.decision in said
    assert answer.reason in said
    assert "Which class?" in said
    assert "How plausible?" in said
    assert "heldout:4" in said
    with pytest.raises(UsageError, match="heldout:500"):
        app.asking.asked(work, "bayes", app.asking.Given(app.asking.ITEM, item=500))
    assert "How plausible?" not in app.asking.answers(
        app.asking.asked(work, "logistic", app.asking.Given(app.asking.ITEM))
    )


def test_what_comes_back_and_what_completes_is_drawn(work):
    given = app.asking.asked(work, "pixelcnn", app.asking.Given(app.asking.ITEM, item=1))
    assert app.asking.completed(given, 4, 0).width > 100
    assert app.asking.surprise(given).width > 100
    with pytest.raises(UsageError, match="--rows must lie"):
        app.asking.completed(given, 8, 0)
    with pytest.raises(UsageError, match="keeps no code"):
        app.asking.back(given)


def test_a_file_and_a_drawing_are_asked_about_without_their_folder(work, tmp_path):
    import base64

    picture = as_image(
        app.asking.seen(app.asking.asked(work, "bayes", app.asking.Given(app.asking.ITEM)))
    )
    file = tmp_path / "secret-folder" / "seven.png"
    file.parent.mkdir()
    picture.save(file)
    said = app.asking.answers(
        app.asking.asked(work, "bayes", app.asking.Given(app.asking.UPLOAD, str(file)))
    )
    assert "seven.png" in said
    assert "secret-folder" not in said
    url = "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()
    given = app.asking.asked(work, "bayes", app.asking.Given(app.asking.DRAWING, drawing=url))
    assert given.names == ("drawing 1",)
    assert given.x.shape == (1, 1, 8, 8)
    for nothing in (app.asking.Given(app.asking.UPLOAD), app.asking.Given(app.asking.DRAWING)):
        with pytest.raises(UsageError, match="first"):
            app.asking.asked(work, "bayes", nothing)
    for forged in ("http://elsewhere/a.png", "data:image/png;base64,???", url + "A" * 2**20):
        with pytest.raises(UsageError, match="no drawing"):
            app.pad.drawn(forged)


def test_more_inputs_than_are_looked_at_are_said(work, tmp_path):
    np.savez(tmp_path / "many.npz", x=np.zeros((20, 1, 8, 8), np.uint8), levels=17)
    given = app.asking.asked(
        work, "bayes", app.asking.Given(app.asking.UPLOAD, str(tmp_path / "many.npz"))
    )
    assert len(given.x) == len(given.names) == 16
    assert any("16 of 20" in note for note in given.notes)


@pytest.mark.slow
def test_runs_are_listed_and_compared(work):
    table = app.compare_tab.listed(work)
    assert all(name in table for name in work.names())
    said = app.compare_tab.compare(work, "bayes", "gan", 100)
    assert "A is" in said
    assert "answer" in said
    with pytest.raises(UsageError, match="two different runs"):
        app.compare_tab.compare(work, "gan", "gan", 100)
    with pytest.raises(UsageError, match="takes 100 to"):
        app.compare_tab.compare(work, "gan", "bayes", 10**6)


def test_words_of_others_are_never_markup():
    finding = plausible.core.finding.Finding(
        HOSTILE, plausible.core.finding.Severity.WARNING, HOSTILE, {HOSTILE: HOSTILE}, HOSTILE
    )
    for made in (
        markup.paragraph(HOSTILE, HOSTILE),
        markup.facts({HOSTILE: HOSTILE}),
        markup.table([HOSTILE], [[HOSTILE]], HOSTILE),
        markup.sentences([HOSTILE]),
        markup.steps([(HOSTILE, HOSTILE)]),
        markup.findings([Raised(finding, 3)]),
        markup.printed(HOSTILE),
        markup.progress(0.5, HOSTILE),
    ):
        assert "<img" not in made
        assert "&lt;img" in made


def test_an_error_is_a_sentence_and_a_mistake_is_printed(capsys):
    import gradio as gr

    @app.refusals.in_words
    def broken(what):
        raise what

    with pytest.raises(gr.Error, match="No &lt;b&gt;run&lt;/b&gt;"):
        broken(UsageError("no <b>run</b>"))
    assert not capsys.readouterr().err
    with pytest.raises(gr.Error, match="A mistake of the program") as end:
        broken(KeyError("secret"))
    assert "secret" not in str(end.value)
    assert "KeyError: 'secret'" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*vars(Limits())])
def test_a_limit_is_at_least_one(name):
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} must be at least 1"):
        Limits(**{name: 0})


def test_without_gradio_one_sentence_says_what_to_install(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plausible.cli.app.find_spec", lambda name: None)
    assert "pip install 'plausible[app]'" in refused(capsys, "app")
    assert "does not exist" in refused(capsys, "app", "nowhere")
    assert "--port must lie" in refused(capsys, "app", "--port", "0")


def test_another_host_is_warned_about_and_a_run_is_shown_first(capsys, monkeypatch, runs):
    import contextlib

    seen_by = {}

    @contextlib.contextmanager
    def served(work, port, browser):
        seen_by.update(work=work, port=port, browser=browser)
        yield "http://0.0.0.0:1/"

    monkeypatch.setattr(app.server, "served", served)
    monkeypatch.setattr(app.server, "wait", lambda: None)
    main(["app", str(runs / "gan"), "--host", "0.0.0.0", "--no-browser", "--max-samples", "9"])
    said = capsys.readouterr().out
    assert "warning: at 0.0.0.0 everybody who can reach this machine" in said
    assert seen_by["work"].chosen == "gan"
    assert seen_by["work"].limits.max_samples == 9
    assert not seen_by["browser"]
    main(["app", str(runs)])
    assert "warning" not in capsys.readouterr().out
    assert seen_by["browser"]
