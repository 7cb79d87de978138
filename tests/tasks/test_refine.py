"""A refined run: of its family, without need of its start, exactly resumed, beside its start; and what cannot be refined."""

import json
import shutil
from importlib import import_module

import numpy as np
import pytest
import torch
from tests.conftest import ask

import plausible
from plausible import tasks
from plausible.cli.main import main
from plausible.core.errors import UsageError
from plausible.models import GAN, VAE
from plausible.runs import Run
from plausible.runs.go_on import start_of
from plausible.tasks.report import report

GAME = {"objective": "adversarial", "batch": 16, "width": 4}
QUICK = {"watch": False, "evaluate": False}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """The first 400 digits: a start and what became of it are judged several times."""
    data, path = plausible.load("digits"), tmp_path_factory.mktemp("few") / "few.npz"
    np.savez(path, x=data.train.values[:400].numpy(), levels=17)
    return path


@pytest.fixture(scope="module")
def vae(few, tmp_path_factory):
    """A small VAE that has hardly learned."""
    folder = tmp_path_factory.mktemp("start") / "vae"
    plausible.fit("vae", few, steps=30, width=8, latent=4, watch=False, out=folder)
    return folder


@pytest.fixture(scope="module")
def refined(vae, tmp_path_factory):
    """The same, refined for four rounds by each objective."""
    folder = tmp_path_factory.mktemp("refined")
    tasks.refine(vae, out=folder / "adversarial", steps=4, **GAME, **QUICK)
    tasks.refine(vae, out=folder / "likelihood-ratio", steps=4, objective="likelihood-ratio", reference_samples=64, batch=16, **QUICK)  # fmt: skip
    return folder


def weights(folder):
    return Run(folder).weights()


@pytest.mark.parametrize("objective", ["adversarial", "likelihood-ratio"])
def test_a_refined_run_is_of_the_family_of_its_start_and_needs_it_no_more(objective, vae, refined, tmp_path):  # fmt: skip
    gone = tmp_path / "vae"
    shutil.copytree(vae, gone)
    run = tasks.refine(gone, out=tmp_path / "r", steps=4, objective=objective, batch=16, **QUICK).trained.run  # fmt: skip
    shutil.rmtree(gone)
    model = Run(run.folder).model()
    assert type(model) is VAE
    assert tasks.sample(run.folder, 3).x.shape == (3, 1, 8, 8)
    assert tasks.interpolate(run.folder, 1, 2).shape == (1, 2, 1, 8, 8)
    assert len(tasks.score(run.folder, ["heldout:0-1"])) == 2
    again = plausible.resume(run.folder, steps=6, watch=False)
    assert again.finished
    with pytest.raises(UsageError, match="is not there"):
        tasks.before_after(run.folder)


def test_the_game_changes_what_draws_and_nothing_of_the_start(vae, refined):
    before, kept = weights(vae), Run(refined / "likelihood-ratio").weights()
    for name, tensor in before.items():
        assert torch.equal(kept[f"opponent.{name}"], tensor), name
    for objective in ("adversarial", "likelihood-ratio"):
        after = weights(refined / objective)
        changed = {name for name, tensor in before.items() if not torch.equal(tensor, after[name])}
        assert changed
        assert not {"offset", "scale", "log_prior"} & changed


@pytest.mark.parametrize("objective", ["adversarial", "likelihood-ratio"])
def test_a_refinement_that_was_stopped_ends_bit_for_bit_as_the_whole(objective, vae, refined, tmp_path):  # fmt: skip
    choices = GAME if objective == "adversarial" else {"objective": objective, "reference_samples": 64, "batch": 16}  # fmt: skip

    class Stopped(Exception):
        """In the place of Ctrl-C."""

    def stop(step):
        if step.clock.step == 2:
            raise Stopped

    fit_steps = import_module("plausible.tasks.fit_steps")
    before = fit_steps._SAVE_EVERY, fit_steps._SAVE_SHARE
    fit_steps._SAVE_EVERY, fit_steps._SAVE_SHARE = 0.0, 0.0
    try:
        with pytest.raises(Stopped):
            tasks.refine(vae, out=tmp_path / "r", steps=4, on_step=stop, **choices, **QUICK)
    finally:
        fit_steps._SAVE_EVERY, fit_steps._SAVE_SHARE = before
    torch.manual_seed(99)
    plausible.resume(tmp_path / "r", watch=False)
    for name, tensor in weights(refined / objective).items():
        assert torch.equal(tensor, weights(tmp_path / "r")[name]), name


def test_a_run_names_its_start_and_its_game(vae, refined):
    folder = refined / "adversarial"
    kept = json.loads((folder / "config.json").read_text())
    assert kept["start"]["run"] == str(vae)
    assert len(kept["start"]["weights"]) == 64
    assert Run(folder).refinement.objective == "adversarial"
    assert start_of(Run(vae)) is None
    shown = (
        report(folder, evaluate=False) if "evaluate" in report.__kwdefaults__ else report(folder)
    )
    assert "refined from vae" in shown.name
    assert str(vae) in shown.provenance.facts["begun with"]
    assert f"plausible refine {vae}" in shown.provenance.commands[0].command


@pytest.mark.slow
def test_start_and_refined_stand_beside_each_other(vae, refined):
    found = tasks.before_after(refined / "adversarial", n=40)
    assert list(found.reports) == ["start", "refined"]
    rows = {row.name: row for row in found.rows}
    assert {"total variation", "log likelihood", "bits per dimension"} <= set(rows)
    assert all(cell.startswith("≥") for cell in rows["log likelihood"].cells)
    mean, error = found.nats
    difference = rows["log likelihood"].measures[1].value - rows["log likelihood"].measures[0].value
    assert mean == pytest.approx(difference, abs=10 * error + 1)
    assert "log p of held-out data" in found.sentence
    with pytest.raises(UsageError, match="was not refined"):
        tasks.before_after(vae)


def test_a_start_that_has_changed_is_not_compared(vae, few, refined, tmp_path):
    other = tmp_path / "other"
    plausible.fit("vae", few, steps=2, width=8, latent=4, watch=False, out=other)
    with pytest.raises(UsageError, match="other weights"):
        tasks.before_after(refined / "adversarial", other)


def test_what_cannot_be_refined_is_one_sentence(vae, refined, tmp_path, capsys):
    plausible.fit("gan", "digits", steps=2, width=4, watch=False, out=tmp_path / "gan")
    plausible.fit("naive-bayes", "digits", out=tmp_path / "bayes")
    for folder, flags, why in [
        (tmp_path / "gan", [], "is already a game"),
        (tmp_path / "bayes", [], "fitted to all examples at once"),
        (vae, ["--objective", "adversarial", "--beta", "2"], "--beta is not of --objective adversarial"),
        (vae, ["--sampling-steps", "2"], "--sampling-steps is of diffusion models"),
        (vae, ["--loss", "cross"], "loss"),
        (vae, ["--data", "ring"], "has changed"),
    ]:  # fmt: skip
        with pytest.raises(SystemExit) as end:
            main(["refine", str(folder), "--steps", "2", "--out", str(tmp_path / "no"), *flags])
        assert end.value.code == 2, why
        said = capsys.readouterr().err
        assert why in said or why == "has changed", said
        assert said.count("\n") == 1
        assert not (tmp_path / "no").exists()


@pytest.mark.slow
def test_the_command_shows_both(vae, tmp_path, capsys):
    ask("refine", vae, "--steps", 2, "--batch", 16, "--width", 4, "--out", tmp_path / "r")
    said = " ".join(capsys.readouterr().out.split())
    assert "begins with the model of" in said
    assert "adversarial" in said
    assert "log likelihood" in said
    assert "log p of held-out data" in said


def test_a_generator_begins_as_a_decoder_and_is_opened_without_it(vae, tmp_path):
    gone = tmp_path / "vae"
    shutil.copytree(vae, gone)
    start = Run(gone).model()
    trained = plausible.fit("gan", None, decoder=gone, steps=2, width=4, watch=False, out=tmp_path / "g", lr=1e-9)  # fmt: skip
    shutil.rmtree(gone)
    model = Run(tmp_path / "g").model()
    assert type(model) is GAN
    z = model.latent(5, torch.Generator().manual_seed(0))
    assert z.shape == (5, start.dims)
    with torch.no_grad():
        assert torch.allclose(model.decode(z), start.decode(z), atol=1e-4)
    moved = {name for name, p in trained.model.generator.named_parameters() if p.requires_grad}
    assert moved <= set(dict(model.generator.named_parameters()))
    assert plausible.resume(tmp_path / "g", steps=4, watch=False).finished


def test_a_decoder_that_does_not_fit_is_refused(vae, tmp_path):
    plausible.fit("diffusion", "digits", steps=2, width=8, watch=False, out=tmp_path / "d")
    plausible.fit("pixelcnn", "digits", steps=2, width=4, blocks=1, watch=False, out=tmp_path / "p")
    for kind, decoder, data, choices, why in [
        ("gan", tmp_path / "d", None, {}, "--average-velocity"),
        ("gan", tmp_path / "p", None, {}, "has no decoder"),
        ("vae", vae, None, {}, "other models take --init"),
        ("gan", vae, "ring", {}, "these data are 2 of real numbers"),
        ("gan", vae, None, {"latent": 7}, "leave out --latent"),
    ]:
        with pytest.raises(UsageError, match=why):
            plausible.fit(kind, data, decoder=decoder, steps=2, **choices)


def test_a_diffusion_model_draws_in_few_steps_from_then_on_and_its_start_is_drawn_alike(tmp_path):
    data = plausible.load(torch.randn(60, 2, generator=torch.Generator().manual_seed(0)).numpy())
    plausible.fit("diffusion", data, steps=2, width=8, watch=False, out=tmp_path / "d")
    few = {**GAME, **QUICK, "sampling_steps": 2, "data": data}
    tasks.refine(tmp_path / "d", out=tmp_path / "r", steps=2, **few)
    config = Run(tmp_path / "r").model_config
    assert (config.sampling_steps, config.solver) == (2, "euler")
    found = tasks.before_after(tmp_path / "r", data=data, n=20)
    assert list(found.reports) == ["start, drawn alike", "refined"]
    assert found.nats is not None
