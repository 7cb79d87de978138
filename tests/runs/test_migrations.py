"""A run of every format that was ever written opens as one of today, and one of tomorrow is a sentence."""

import copy
import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from tests.conftest import refused

import plausible
from plausible import runs
from plausible.core.errors import UsageError
from plausible.runs import migrations
from plausible.runs.checksums import write_noted
from plausible.runs.migrations import FORMAT, MIGRATIONS, NewerRun, NotARun, migrated
from plausible.tasks import check, list_runs, resume

KEPT = Path(__file__).parent / "kept"
NEWEST = KEPT / f"format-{FORMAT}"
OLD = sorted(path.parent.name for path in KEPT.glob("*/config.json"))
DRAWS = {
    2: [[4.71537, -0.59721], [6.46749, -3.48529], [0.30021, -1.4096], [3.58684, -0.334]],
}
"""What plausible drew from a kept run of each format when it wrote it, by seed 0."""


def kept(name):
    return json.loads((KEPT / name / "config.json").read_text())


def keys(config):
    """What a config.json says, but for the fields of dataclasses, which have defaults."""
    return {place: sorted(config[place]) for place in ("data", "space")} | {"": sorted(config)}


def rewritten(folder, **changes):
    """config.json of a run with other words."""
    config = json.loads((folder / "config.json").read_text())
    write_noted(folder / "config.json", json.dumps(config | changes))
    return runs.Run(folder)


@pytest.fixture
def copied(tmp_path):
    return Path(shutil.copytree(NEWEST, tmp_path / "run"))


def test_a_run_of_every_format_is_kept():
    assert {kept(name).get("format", 1) for name in OLD} == set(range(1, FORMAT + 1))
    assert {belongs_to for belongs_to, _ in MIGRATIONS} == set(range(2, FORMAT + 1))
    assert [belongs_to for belongs_to, _ in MIGRATIONS] == sorted(b for b, _ in MIGRATIONS)


@pytest.mark.parametrize("name", OLD)
def test_it_is_brought_to_the_words_of_today_and_stays_as_it_is_on_the_disk(name):
    before = kept(name)
    config = runs.Run(KEPT / name).config
    assert keys(config) == keys(kept(NEWEST.name))
    assert config["format"] == FORMAT
    assert kept(name) == before
    assert migrated(config, Path("config.json")) == config


def test_what_is_written_today_has_the_words_of_the_newest_kept_run(tmp_path):
    """Where this fails the format has changed: raise FORMAT, write a migration, and keep a run of it."""
    data = plausible.load("ring")
    training = plausible.train(plausible.GaussianMixture(data), data)
    config = json.loads(
        (runs.create(tmp_path / "run", training).folder / "config.json").read_text()
    )
    assert keys(config) == keys(kept(NEWEST.name))
    assert config["plausible"] == version("plausible")
    assert config["threads"] == torch.get_num_threads()


@pytest.mark.parametrize("migration", [function for _, function in MIGRATIONS])
def test_a_migration_changes_nothing_that_it_was_given_and_nothing_that_was_said(migration):
    for name in OLD:
        config = kept(name)
        before = copy.deepcopy(config)
        once = migration(config)
        assert config == before
        assert migration(once) == once


def test_networks_of_a_gan_are_those_that_were_the_default_of_their_time():
    config = kept("gan")
    for shape, chosen in (
        ((1, 8, 8), "conv"),
        ((3, 64, 64), "conv"),
        ((1, 7, 7), "mlp"),
        ((2,), "mlp"),
    ):
        unsaid = {**config, "config": {**config["config"], "architecture": None}}
        unsaid["space"] = {**config["space"], "shape": list(shape)}
        assert migrations.chosen_networks(unsaid)["config"]["architecture"] == chosen
        own = {**unsaid, "own_networks": ["generator"]}
        assert migrations.chosen_networks(own)["config"]["architecture"] is None


def test_links_were_followed_where_data_lay_in_a_folder():
    config = kept("gan")
    assert "follow_links" not in migrations.followed_links(config)["data"]["options"]
    config["data"]["source"] = "/photos"
    assert migrations.followed_links(config)["data"]["options"]["follow_links"] is True


def test_a_run_of_todays_format_is_whole_draws_and_goes_on(copied):
    assert check(copied).whole
    drawn = runs.Run(copied).sample(4)
    assert torch.allclose(drawn.x, torch.tensor(DRAWS[FORMAT]), atol=1e-3)
    assert resume(copied, steps=22).finished
    assert runs.Run(copied).steps("last") == 22


def test_a_run_of_an_old_format_that_goes_on_is_one_of_today(tmp_path):
    folder = shutil.copytree(KEPT / "gan", tmp_path / "gan")
    assert resume(folder, steps=61, watch=False).finished
    config = json.loads((folder / "config.json").read_text())
    assert config["format"] == FORMAT
    assert config["threads"] == torch.get_num_threads()


def test_a_newer_format_is_one_sentence_that_says_which_plausible_to_use(copied, capsys):
    out = copied / "x.npz"
    for words in (("sample", copied, "--out", out), ("resume", copied), ("report", copied)):
        rewritten(copied, format=FORMAT + 1, plausible="7.1.0")
        sentence = refused(capsys, *words)
        assert f"is of format {FORMAT + 1}, written by plausible 7.1.0" in sentence
        assert "open it with plausible 7.1.0 or newer" in sentence
    with pytest.raises(NewerRun, match="with a newer plausible"):
        _ = rewritten(copied, format=FORMAT + 1, plausible=None).config
    assert [row.state for row in list_runs(copied.parent)] == ["of a newer plausible"]


@pytest.mark.parametrize("format", [0, "2", None, 1.5])
def test_what_is_no_format_is_a_sentence(copied, format):
    with pytest.raises(UsageError, match="says that its format is"):
        _ = rewritten(copied, format=format).config


@pytest.mark.parametrize("content", ["[]", "3", '{"model": "gan"}', "[" * 100_000])
def test_a_config_of_another_program_is_a_sentence(tmp_path, content):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "config.json").write_text(content)
    with pytest.raises(UsageError, match=r"config.json"):
        _ = runs.Run(folder).config
    if content != "[" * 100_000:
        with pytest.raises(NotARun):
            _ = runs.Run(folder).config
        assert list_runs(tmp_path) == []


def test_an_old_config_that_lacks_what_every_run_says_is_a_sentence(tmp_path):
    config = kept("gan")
    for place in ("config", "space", "data"):
        (tmp_path / "config.json").write_text(json.dumps({**config, place: {}}))
        with pytest.raises(UsageError, match="is not that of a run of format 1"):
            _ = runs.Run(tmp_path).config


@pytest.mark.parametrize(
    ("place", "opened"),
    [
        ("config", lambda run: run.model_config),
        ("training", lambda run: run.settings),
        ("data", lambda run: run.options),
    ],
)
def test_a_choice_that_this_program_does_not_know_is_a_sentence(copied, place, opened):
    config = kept(NEWEST.name)
    where = config["data"]["options"] if place == "data" else config[place]
    where["of_tomorrow"] = 1
    run = rewritten(copied, plausible="7.1.0", **{place: config[place]})
    with pytest.raises(UsageError, match=r"does not know \(.*: of_tomorrow\).*wrote it, 7\.1\.0"):
        opened(run)


def test_going_on_with_another_number_of_threads_is_said(copied, capsys):
    from tests.conftest import ask

    now = torch.get_num_threads()
    rewritten(copied, threads=now)
    assert runs.saving.resuming_notes(runs.Run(copied)) == ()
    rewritten(copied, threads=now + 1)
    ask("resume", copied, "--steps", 21, "--no-evaluate")
    said = capsys.readouterr().out
    assert f"was trained with {now + 1} threads and goes on with {now} thread" in said
    assert "not be bit for bit" in said
    assert runs.saving.resuming_notes(runs.Run(copied)) == ()  # from now on it is that many
