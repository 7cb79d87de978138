"""The page of a comparison: advice first, every number with its sign, and what was asked."""

import shutil
from dataclasses import replace

import pytest
from PIL import Image
from tests.conftest import ask, refused
from tests.pages.conftest import HOSTILE
from tests.pages.reading import Page, asks_for_nothing, is_built_for_everybody

from plausible.core.errors import UsageError
from plausible.pages import document
from plausible.tasks import open_comparison, report_comparison
from plausible.tasks.compared import FamilyResult
from plausible.tasks.comparison_file import save_comparison_file


@pytest.fixture(scope="module")
def read(comparison_page):
    return Page(comparison_page.read_text())


def rows(read):
    """The texts of all rows of all tables."""
    return [" ".join(words.split()) for _, _, words in read.all("tr")]


def row(read, start):
    """The texts of the cells of the first row whose head begins so."""
    return next(words for words in rows(read) if words.startswith(start))


def test_the_advice_comes_first_in_its_three_sentences(compared, read):
    assert read.text("h1") == [f"Which family for {HOSTILE}?"]
    assert read.text("dt")[:3] == ["Which", "Why", "What would change it"]
    assert read.text("dd")[:3] == list(compared.advice)
    first = next(tag for tag, *_ in read.elements if tag in ("dl", "table", "section"))
    assert first == "dl"


def test_the_best_is_marked_only_where_one_side_is_better(read):
    assert "2.5 best -3.85 to 8.85 4 2.5 best" in row(read, "Frechet multiple, x real")
    assert row(read, "recall").endswith("0.5 best 0.5 to 0.5 0.25 0.5 best")
    likelihood = row(read, "log likelihood, nats")
    assert "best" not in likelihood
    assert "≥ -9.5 -15.9 to -3.15" in likelihood
    assert likelihood.endswith("none = -5")
    alone = row(read, "size, MB")  # of one family alone
    assert "2" in alone
    assert "best" not in alone.split("lower is better")[1]


def test_what_failed_stands_with_its_reason_also_one_seed_of_several(read):
    items = read.text("li")
    assert f"rbm: no units for {HOSTILE}." in items
    assert "pixelcnn, seed 1: out of memory." in items
    assert not [cell for cell in read.text("th") if cell == "rbm"]


def test_every_defect_has_a_word_for_each_family_and_of_seeds_how_many(read):
    assert row(read, "Shape") == "Shape ✕ FAIL 1 ✓ PASS 1 ✕ FAIL ✕ FAIL"
    assert row(read, "Copies") == "Copies ? INCONCLUSIVE 2 ✓ PASS – not defined"


def test_paired_tests_name_who_is_better_and_what_would_decide(read):
    assert "Shape vae is better 10% 40% -30.0% -40.0 to -20.0%" in rows(read)
    assert any("too few to say 4,200 samples of each would" in words for words in rows(read))
    assert "Colour: these images have no colour." in read.text("li")
    words = " ".join(read.text("p"))
    assert "+4.00 nats by vae beside gan" in words
    assert "where A is vae and B is gan" in words


def test_pictures_and_the_figure_stand_on_it_and_a_family_by_its_run(judged, read):
    assert any("samples of vae, gan, pixelcnn" in a["alt"] for _, a, _ in read.all("img"))
    assert any("gan 0.1 s and 4" in a["aria-label"] for _, a, _ in read.all("svg"))
    gan = next(words for _, _, words in read.all("article") if "Not there yet" in words)
    for said in ("gan", "Not yet", "Loss"):
        assert said in gan
    assert any(line.startswith("plausible report ") and "gan" in line for line in read.text("pre"))
    assert sum("Its folder is gone" in text for text in read.text("p")) == 2


def test_how_it_was_made_is_exact(judged, read):
    again = next(line for line in read.text("pre") if line.startswith("plausible compare"))
    assert again.endswith("--minutes 0.5 --seeds 2 --n 64")
    assert "vae pixelcnn rbm --data" in again
    assert "torch" in read.text("th")
    assert "held-out part" in read.text("th")
    assert "Some notes." in read.text("li")


def test_it_needs_nothing_and_is_built_for_everybody(comparison_page, read):
    asks_for_nothing(comparison_page.read_text())
    is_built_for_everybody(read)


@pytest.mark.usefixtures("undrawn")
def test_one_that_was_stopped_says_how_to_go_on(compared, tmp_path):
    vae, *_ = compared.families
    begun = (FamilyResult("vae", vae.runs[:1]), FamilyResult("pixelcnn", ()))
    stopped = replace(
        compared, folder=tmp_path, families=begun, paired=None, advice=(), finished=False
    )
    save_comparison_file(stopped)
    found = report_comparison(tmp_path)
    assert found.words == "This comparison is not finished: 1 of 7 runs are trained and judged."
    words = Page(document(found))
    assert words.text("pre")[0] == f"plausible compare {tmp_path}"
    assert "pixelcnn: it was not begun." in words.text("li")
    in_memory = replace(stopped, plan=replace(stopped.plan, data=""))
    again = report_comparison(in_memory).next[0].command
    assert again == f"plausible compare {tmp_path} --data FOLDER"


@pytest.mark.usefixtures("undrawn")
def test_runs_are_found_where_the_comparison_was_moved_to(judged, compared, tmp_path):
    shutil.copytree(judged, tmp_path / "vae-0")
    Image.new("L", (80, 80)).save(tmp_path / "vae-0" / "samples.png")
    moved = report_comparison(replace(compared, folder=tmp_path))
    shown = {family.name: family for family in moved.families}
    assert f"plausible report {tmp_path / 'vae-0'}" in [each.command for each in shown["vae"].next]
    assert shown["vae"].curves
    assert [each.title for each in shown["vae"].samples] == ["Samples"]
    assert not moved.pictures
    Image.new("RGB", (300, 300)).save(tmp_path / "samples.png")
    (picture,) = report_comparison(replace(compared, folder=tmp_path)).pictures
    assert not picture.wide


@pytest.mark.usefixtures("undrawn")
def test_the_command_writes_the_page_of_a_comparison(compared, tmp_path, capsys):
    here = replace(compared, folder=tmp_path)
    save_comparison_file(here)
    assert "beside it go only --out" in refused(capsys, "report", tmp_path, "--seed", "1")
    ask("report", tmp_path)
    assert "Take vae for it. The page is" in " ".join(capsys.readouterr().out.split())
    assert Page((tmp_path / "report.html").read_text()).text("h1")
    assert "report.html exists" in refused(capsys, "report", tmp_path)
    (tmp_path / "comparison.json").write_text("{}")
    with pytest.raises(UsageError, match="is not as it was written"):
        open_comparison(tmp_path)
