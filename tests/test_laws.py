"""Every model x every law, on the space of all 2x2 binary images, where all can be enumerated."""

import hashlib
import json
import math
import subprocess
import sys
from importlib import import_module
from itertools import islice

import pytest
import torch
from tests.conftest import environment, make_data
from tests.every_model import EVERY_CASE, SPACE, built, digest, trained

import plausible
import plausible.models
from plausible import runs
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind
from plausible.core.model import Explicit, Generative, models
from plausible.training import Settings, train
from plausible.training.batch_order import BatchOrder
from plausible.training.distributed import World

LOOSE = {"diffusion", "mixture", "vq-vae"}  # bounds that no number of draws makes tight
CASES = [pytest.param(*case, id=name) for name, case in EVERY_CASE.items()]


def test_the_registry_is_the_taxonomy_in_the_docstring():
    named = [
        line.split()[0] for line in plausible.models.__doc__.splitlines() if "     " in line.strip()
    ]
    assert set(named) == set(models)
    assert all(kind.name == name and kind.place for name, kind in models.items())


@pytest.mark.parametrize(("kind", "conditional"), CASES)
def test_law_1_probabilities_sum_to_what_their_kind_says(kind, conditional):
    if not issubclass(kind, Explicit):
        assert not hasattr(kind, "log_prob")  # a model that cannot say it has no such capability
        return
    model = trained(kind, conditional).averaged
    for y in [None, 0, 1] if conditional else [None]:
        p = model.log_prob(SPACE.enumerate(), y)
        total = p.nats.double().exp().sum().item()
        error = 0 if p.stderr is None else (p.nats.exp() * p.stderr).norm().item()
        if p.kind is Kind.EXACT:
            assert total == pytest.approx(1, abs=1e-5)
        if p.kind is Kind.LOWER:
            assert total <= 1 + 3 * error
        if p.kind is Kind.ESTIMATE:
            assert total == pytest.approx(1, abs=3 * error)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "conditional"), CASES)
def test_law_2_frequencies_of_samples_match_log_prob(kind, conditional, monkeypatch):
    monkeypatch.setattr(import_module("plausible.models.rbm.rbm"), "_ANNEALED", 200)
    if not issubclass(kind, Explicit):
        assert not hasattr(kind, "log_prob")
        return
    model = trained(kind, conditional).averaged
    n = 5_000 if kind.name in LOOSE else 8_000
    x = model.sample(n, generator=torch.Generator().manual_seed(0)).x
    place = (x.flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    seen = torch.bincount(place, minlength=16) / n
    said = model.log_prob(SPACE.enumerate(), samples=1000 if kind.name in LOOSE else 2500)
    truth = said.nats.exp()
    noise = (truth * (1 - truth) / n * 2 / math.pi).sqrt().sum() / 2
    if kind.name in LOOSE:
        assert (truth - seen).clamp(min=0).sum() < 2 * noise
        return
    assert (seen - truth).abs().sum() / 2 < 2 * noise


@pytest.mark.parametrize(("kind", "conditional"), CASES)
def test_law_3_every_weight_is_moved_by_exactly_one_player(kind, conditional, monkeypatch):
    training = train(built(kind, conditional), make_data(SPACE), Settings(steps=3))
    movers: dict[str, set[str]] = {name: set() for name, _ in training.raw.named_parameters()}
    move = training._move

    def watched(seat, clock):
        before = {name: p.clone() for name, p in training.raw.named_parameters()}
        move(seat, clock)
        for name, p in training.raw.named_parameters():
            if not torch.equal(before[name], p):
                movers[name].add(seat.player.name)

    monkeypatch.setattr(training, "_move", watched)
    before = {name: p.clone() for name, p in training.raw.named_parameters()}
    list(training)
    if not training._seats:  # fitted by a method of its own: that sets every weight
        for name, p in training.raw.named_parameters():
            assert not torch.equal(before[name], p), name
        return
    assert {name for name, who in movers.items() if len(who) != 1} == set()


@pytest.mark.parametrize(("kind", "conditional"), CASES)
def test_law_4_saved_and_loaded_the_numbers_are_the_same(kind, conditional, tmp_path):
    training = trained(kind, conditional)
    run = runs.create(tmp_path / "run", training)
    runs.save(run, training)
    loaded, kept = runs.Run(run.folder).model(), training.averaged
    assert loaded.state_dict().keys() == kept.state_dict().keys()
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, kept.state_dict()[name]), name
    if isinstance(loaded, Generative):
        a, b = (m.sample(20, generator=torch.Generator().manual_seed(1)) for m in (loaded, kept))
        assert torch.equal(a.x, b.x)


@pytest.mark.parametrize(("kind", "conditional"), CASES)
def test_law_4_stopped_and_resumed_is_bit_for_bit_the_same(kind, conditional):
    whole = trained(kind, conditional)
    first = train(built(kind, conditional), make_data(SPACE), Settings(steps=6))
    for _ in islice(first, 3):
        pass
    state = first.state_dict()
    torch.manual_seed(123)  # a resumed run must not depend on what happened in between
    again = train(built(kind, conditional), make_data(SPACE), Settings(steps=6))
    again.load_state_dict(state)
    assert [step.clock.step for step in again] == list(range(3, whole.clock.step))
    assert again.finished
    for name, value in whole.state_dict()["raw"].items():
        assert torch.equal(value, again.state_dict()["raw"][name]), name
    for name, value in whole.averaged.state_dict().items():
        assert torch.equal(value, again.averaged.state_dict()[name]), name


@pytest.mark.parametrize(("kind", "conditional"), CASES)
def test_law_5_samples_have_the_shape_and_lie_on_the_levels(kind, conditional):
    model = built(kind, conditional)
    if not isinstance(model, Generative):
        assert not hasattr(kind, "sample")
        return
    drawn = model.sample(50, generator=torch.Generator().manual_seed(0))
    assert drawn.x.shape == (50, 1, 2, 2)
    assert set(drawn.x.unique().tolist()) <= {0.0, 1.0}
    if conditional:
        assert set(model.sample(50).y.tolist()) == {0, 1}
        assert model.sample(3, 1).y.tolist() == [1, 1, 1]
    else:
        assert drawn.y is None
        with pytest.raises(UsageError):
            model.sample(1, 0)


ELSEWHERE = """
import json
from tests.every_model import EVERY_CASE, digest, trained
print(json.dumps({name: digest(trained(*case)) for name, case in EVERY_CASE.items()}))
"""


@pytest.mark.slow
def test_law_6_the_same_seed_makes_the_same_bytes_in_another_process():
    """Where a set of words has another order, too."""
    env = {**environment(), "PYTHONHASHSEED": "7"}
    other = subprocess.Popen([sys.executable, "-c", ELSEWHERE], env=env, stdout=subprocess.PIPE)
    torch.manual_seed(99)  # whatever was drawn before
    here = {name: digest(trained(*case)) for name, case in EVERY_CASE.items()}
    out, _ = other.communicate()
    assert other.returncode == 0
    assert json.loads(out) == here


@pytest.mark.parametrize("threads", [2, 3])
def test_what_is_drawn_does_not_depend_on_the_number_of_threads(threads):
    """Only sums do, whose last bits are rounded in another order: so weights and samples may, and nothing else."""

    def drawn():
        data = plausible.load("digits", binarise="static")
        order = BatchOrder(len(data.train), 64, 0, World(), torch.device("cpu"))
        noise = torch.randn(300_000, generator=torch.Generator().manual_seed(0))
        model = built(models["vae"], False)  # whose first weights are drawn, too
        torch.manual_seed(3)
        return [
            *data.hashes.values(),
            order.rows(7).tolist(),
            *(
                hashlib.sha256(t.numpy().tobytes()).hexdigest()
                for t in (noise, torch.rand(300_000))
            ),
            *(weight.tolist() for weight in model.state_dict().values()),
        ]

    before, expected = torch.get_num_threads(), drawn()
    try:
        torch.set_num_threads(threads)
        assert drawn() == expected
    finally:
        torch.set_num_threads(before)
