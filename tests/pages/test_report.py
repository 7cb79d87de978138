"""The page of a run: what stands on it, in what order, and that it needs nothing else."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ask, refused
from tests.pages.conftest import HOSTILE
from tests.pages.reading import Page, asks_for_nothing, is_built_for_everybody

from plausible import runs
from plausible.core.errors import UsageError
from plausible.core.finding import Finding, Severity, to_json
from plausible.core.model import models
from plausible.data.load import load
from plausible.models import GAN
from plausible.pages import document
from plausible.pages.document import LIMIT
from plausible.tasks import evaluate, fit, report, save_report
from plausible.training import Settings, train

KEPT = Path(__file__).parent.parent / "runs" / "kept"
SMALL = {"width": 4, "hidden": 4, "blocks": 1, "layers": 1, "components": 2, "latent": 2, "prior_width": 4, "prior_blocks": 1, "walk_back": 1}  # fmt: skip
VECTORS = ("mixture",)


@pytest.fixture(scope="module")
def read(page):
    return Page(page.read_text())


def copied(run, place):
    """A run of its own that knows no checksums, so that its files may be changed."""
    shutil.copytree(run, place)
    (place / "checksums.json").unlink()
    return place


def test_the_verdict_comes_first_with_what_to_do_next(reported, read):
    heads = [(tag, " ".join(text.split())) for tag, _, text in read.all("h1", "h2", "h3")]
    assert heads[0] == ("h1", "gan of digits Not there yet")
    assert heads[1] == ("h2", "What to do next")
    commands = read.text("pre")
    assert commands[0] == reported.headline.next[0].command
    assert commands[0].startswith("plausible train gan ")
    assert "can still be told from real images" in read.text("p")[0]


def test_every_defect_and_every_measure_stands_on_it(reported, read):
    cells = read.text("th")
    for result in reported.judged.verdict.results:
        if result.effect is not None:
            assert any(cell.lower().startswith(result.name) for cell in cells), result.name
    for measure, _ in reported.judged.measures:
        assert any(measure.name in text for text in [*cells, *read.text("li")]), measure.name
    assert len(re.findall("FAIL|PASS|INCONCLUSIVE", " ".join(read.text("td")))) >= 10


def test_what_others_wrote_is_text_and_never_a_part_of_the_page(reported, read):
    assert not read.all("script", "i", "iframe")
    assert [text for text in read.text("b") if "runs" in text] == []
    assert HOSTILE in read.text("th")  # the table of classes
    alts = [attributes["alt"] for _, attributes, _ in read.all("img")]
    assert any(HOSTILE in alt for alt in alts)
    assert any("<b>runs & more" in text for text in read.text("td"))
    assert any("<b>runs & more" in text for text in read.text("pre"))


def test_nothing_outside_is_asked_for(page):
    asks_for_nothing(page.read_text())


def test_it_is_built_for_everybody(read):
    is_built_for_everybody(read)


def test_samples_stand_beside_real_ones_with_walks_neighbours_and_the_film(read):
    titles = read.text("h3")
    for title in ("Samples", "Real images", "The samples most like copies", "Walks through z"):
        assert title in titles
    kinds = [attributes["src"].split(";")[0] for _, attributes, _ in read.all("img")]
    assert kinds.count("data:image/gif") == 1
    assert read.all("source")[0][1]["media"] == "print, (prefers-reduced-motion: reduce)"


def test_how_it_was_made_is_exact(judged, read):
    config = json.loads((judged / "config.json").read_text())
    cells, commands = read.text("td"), read.text("pre")
    for digest in config["data"]["hashes"].values():
        assert digest in cells
    again = next(line for line in commands if line.startswith("plausible train gan"))
    for flag in ("--steps 60", "--architecture mlp", "--width 8", "--conditional"):
        assert flag in again
    assert any(line.startswith("plausible evaluate --verify") for line in commands)
    assert "torch" in read.text("th")


@pytest.mark.usefixtures("undrawn")
def test_a_moved_run_names_its_new_place(judged, tmp_path):
    moved = copied(judged, tmp_path / "elsewhere")
    found = report(moved)
    named = [step.command for step in found.headline.next if "train" not in step.command]
    assert [f"plausible resume {moved} --steps 120", f"plausible diagnose {moved}"] == named
    assert len(found.samples.pictures) == 2  # its data were found


@pytest.mark.usefixtures("undrawn")
def test_what_was_raised_is_marked_in_the_curves_by_its_number(judged, tmp_path):
    run = copied(judged, tmp_path / "gan")
    line = {"step": 30, "images": 0, "progress": 0.5, "seconds": 1.0, "generator": {"loss": 1.0}}
    more = [json.dumps(line | extra) for extra in ({"alarms": ["garbage", "oscillation"]},)]
    with (run / "log.jsonl").open("a") as log:
        log.write("\n".join(more) + "\n")
    last = [
        Finding("garbage", Severity.FAILURE, "samples lie nowhere", {}, "train --longer"),
        Finding("oscillation", Severity.FINE, "its signs are not all there now"),
        Finding("dead units", Severity.WARNING, "units are dead"),
    ]
    (run / "findings.json").write_text(to_json(last))
    found = report(run)
    assert [(each.mark, each.gone, each.steps) for each in found.found] == [
        ("1", False, (30,)),
        ("2", True, (30,)),
        ("", False, ()),
    ]
    words = Page(document(found))
    assert any("Garbage Failure: samples lie nowhere" in text for text in words.text("th"))
    assert any("Its signs were gone at the end" in text for text in words.text("th"))
    for shown in found.curves:
        assert [text.get_text() for text in shown.picture.axes[0].texts] == ["1, 2"]
        assert "Marked: 1, 2" in shown.says


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", models)
def test_a_run_of_every_family_has_a_page(name, tmp_path):
    random, y = np.random.default_rng(0), np.arange(60) % 2
    x = random.normal(size=(60, 3)) if name in VECTORS else random.random((60, 5, 5)) < 0.4
    np.savez(tmp_path / "some.npz", x=x if name in VECTORS else x.astype(np.uint8), y=y)
    known = {field.name for field in dataclasses.fields(models[name].Config)}
    small = {flag: value for flag, value in SMALL.items() if flag in known}
    fit(name, tmp_path / "some.npz", steps=2, out=tmp_path / "run", **small)
    found = report(tmp_path / "run")
    words = Page(document(found))
    assert "it was not judged yet" in found.headline.words
    assert "plausible evaluate" in words.text("pre")[0]
    assert bool(found.samples.pictures) == (name not in ("convnet", "linear", "logistic"))
    assert bool(found.samples.rows) == (name in VECTORS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gan", "vae", "rbm", "pixelcnn", "mixture"])
def test_a_run_of_older_code_has_a_page(name):
    found = report(KEPT / name)
    text = document(found)
    assert len(text) < LIMIT
    assert (found.judged is not None) == (name == "gan")


@pytest.mark.usefixtures("undrawn")
def test_a_classifier_is_told_by_how_often_it_is_right(tmp_path):
    trained = fit("logistic", "digits", steps=3, out=tmp_path / "run")
    save_report(evaluate(trained), tmp_path / "run", trained.data)
    found = report(tmp_path / "run")
    accuracy = found.judged["accuracy"].value
    assert found.headline.words == f"it names the right class of {accuracy:.1%} of new images"
    assert found.headline.next[0].command.startswith("plausible classify ")
    titles = Page(document(found)).text("h3")
    assert "Is it as often right as it says?" in titles


@pytest.mark.usefixtures("undrawn")
def test_a_training_that_goes_on_is_said_to_be_unfinished(tmp_path):
    data = load("digits")
    training = train(GAN(data.space, GAN.Config(width=4)), data, Settings(steps=8))
    run = runs.create(tmp_path / "run", training)
    assert report(run).headline.words == "nothing was saved yet"
    next(iter(training))
    runs.save(run, training)
    found = report(run)
    assert found.headline.words == "its training is not finished: 12% of it is done"
    assert [step.command.split()[1] for step in found.headline.next] == ["resume", "evaluate"]
    assert Page(document(found)).text("h1")


@pytest.mark.usefixtures("undrawn")
def test_data_that_are_gone_are_said_to_be_gone(judged, tmp_path):
    run = copied(judged, tmp_path / "gan")
    config = json.loads((run / "config.json").read_text())
    config["data"] |= {"source": str(tmp_path / "nowhere.npz"), "from_run": None}
    (run / "config.json").write_text(json.dumps(config))
    found = report(run)
    assert [shown.title for shown in found.samples.pictures] == ["Samples"]
    assert any("no real data are shown" in note for note in found.notes)
    assert any(
        "no real data are shown" in text.lower() for text in Page(document(found)).text("li")
    )


def test_what_is_no_run_is_refused(tmp_path, binary):
    with pytest.raises(UsageError, match="holds no config"):
        report(tmp_path)
    with pytest.raises(UsageError, match="kept in no run"):
        report(GAN(binary.space, GAN.Config(width=4)))
    with pytest.raises(UsageError, match="kept in no run"):
        report(fit("naive-bayes", binary))


@pytest.mark.usefixtures("undrawn")
def test_the_command_judges_what_was_not_judged_and_writes_the_page(tmp_path, capsys):
    run = tmp_path / "run"
    fit("logistic", "digits", steps=3, out=run)
    assert "must end in one of .html" in refused(capsys, "report", run, "--out", "page.pdf")
    ask("report", run)
    said = " ".join(capsys.readouterr().out.split())
    assert "was not judged yet: judging it, which takes about" in said
    assert "names the right class" in said
    assert (run / "measures.json").exists()
    assert "names the right class" in Page((run / "report.html").read_text()).text("h1")[0]
    assert "report.html exists" in refused(capsys, "report", run)
    ask("report", run, "--out", tmp_path / "other.html")
    assert "judging" not in capsys.readouterr().out
    assert (tmp_path / "other.html").stat().st_size > 10_000
