"""The one loop: data order, budgets, averages, precision, micro-batches."""

from dataclasses import dataclass
from importlib import import_module

import pytest
import torch
from tests.conftest import make_data

from plausible.core.device import has_fast_bf16
from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.model import Model
from plausible.core.space import Space
from plausible.models import GAN, ConvNet, Diffusion
from plausible.training import EMA, BatchOrder, Settings, train
from plausible.training.distributed import World

SPACE = Space((1, 2, 2), levels=2, classes=2)


def classifier(seed=0, **config):
    torch.manual_seed(seed)
    return ConvNet(SPACE, ConvNet.Config(**{"batch": 12, "dropout": 0.0, **config}))


class Watched(Model):
    """Minimises w^2 and writes down every batch and clock it is shown."""

    name, place = "watched", ("test",)

    @dataclass(frozen=True)
    class Config(Model.Config):
        pass

    def __init__(self, **player):
        super().__init__(SPACE, self.Config(batch=7))
        self.w = torch.nn.Parameter(torch.ones(()))
        self.seen, self.validated, self.settings = [], [], player

    def loss(self, batch, clock):
        self.seen.append((batch, clock))
        return Loss({"square": self.w.square().expand(len(batch))}, {"w": self.w})

    def players(self):
        adapt = (
            (lambda batch, clock: self.validated.append(clock.step))
            if self.settings.pop("adapt", 0)
            else None
        )
        return [Player("one", self, self.loss, adapt=adapt, **self.settings)]


@pytest.mark.parametrize("n", [5, 7, 20, 100])
def test_every_epoch_holds_every_row_once_whatever_the_batch(n):
    order = BatchOrder(n, 7, seed=3, world=World(), device=torch.device("cpu"))
    rows = torch.cat([order.rows(k) for k in range(n)])  # 7 epochs
    for epoch in rows.split(n):
        assert sorted(epoch.tolist()) == list(range(n))
    assert not torch.equal(rows[:n], rows[n : 2 * n])


def test_the_order_is_a_function_of_seed_and_number_alone():
    def order(seed):
        return BatchOrder(50, 8, seed, World(), torch.device("cpu"))

    forwards = [order(0).rows(k) for k in range(20)]
    one = order(0)
    backwards = [one.rows(k) for k in reversed(range(20))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert not torch.equal(order(0).rows(0), order(1).rows(0))


def test_ranks_share_the_same_batch_equally():
    whole = BatchOrder(50, 8, 0, World(), torch.device("cpu")).rows(3)
    shares = [BatchOrder(50, 8, 0, World(r, 2), torch.device("cpu")).rows(3) for r in range(2)]
    assert torch.equal(torch.stack(shares, 1).flatten(), whole)
    with pytest.raises(UsageError, match="--batch 7 cannot be shared equally by 2"):
        BatchOrder(50, 7, 0, World(0, 2), torch.device("cpu"))


def test_the_clock_counts_rounds_examples_share_and_own_updates():
    model = Watched(updates=2)
    list(train(model, make_data(SPACE), Settings(steps=4)))
    clocks = [clock for _, clock in model.seen]
    assert [c.update for c in clocks] == list(range(8))
    assert [c.step for c in clocks] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [c.images for c in clocks] == [0, 0, 7, 7, 14, 14, 21, 21]
    assert clocks[-1].progress == 0.75
    assert len({tuple(batch.x.flatten().tolist()) for batch, _ in model.seen}) > 1


def test_minutes_end_the_training_and_count_only_time_spent_in_it():
    model = Watched()
    training = train(model, make_data(SPACE), Settings(minutes=0.005))
    spent = [step.clock.progress for step in training]
    assert spent == sorted(spent)
    assert 0.3 <= training.seconds < 2
    assert training.clock.progress == 1


def test_schedules_follow_the_share_spent():
    rates = []
    model = Watched(lr=lambda spent: 1 - spent)
    training = train(model, make_data(SPACE), Settings(steps=4))
    for _ in training:
        rates.append(training._seats[0].optimizer.param_groups[0]["lr"])
    assert rates == [1, 0.75, 0.5, 0.25]
    training.scale_lr(0.5)
    assert training.state_dict()["lr_factor"] == 0.5


def test_adapt_sees_validation_batches_every_fourth_round():
    model = Watched(adapt=True)
    list(train(model, make_data(SPACE), Settings(steps=9)))
    assert model.validated == [0, 4, 8]


def test_micro_batches_leave_the_same_gradient():
    data, ends = make_data(SPACE), []
    for micro in (None, 5, 1):
        model = classifier()
        list(train(model, data, Settings(steps=5, micro_batch=micro)))
        ends.append(torch.nn.utils.parameters_to_vector(model.parameters()).detach())
    assert torch.allclose(ends[0], ends[1], atol=1e-5)
    assert torch.allclose(ends[0], ends[2], atol=1e-5)


def test_a_gan_trains_in_micro_batches():
    model = GAN(SPACE, GAN.Config(batch=12))
    steps = list(train(model, make_data(SPACE), Settings(steps=2, micro_batch=5)))
    assert {"game", "r1", "r2", "D(x)", "gradient norm"} <= set(steps[0].scalars["discriminator"])


def test_bf16_trains_both_players_with_their_penalties_near_the_float32_result():
    data, seen = make_data(Space((1, 8, 8), levels=17)), {}
    for precision in ("float32", "bf16"):
        torch.manual_seed(0)
        model = GAN(data.space, GAN.Config(batch=8))
        first = next(train(model, data, Settings(steps=1, precision=precision)))
        seen[precision] = first.values()["discriminator"]
    assert seen["bf16"]["r1"] == pytest.approx(seen["float32"]["r1"], rel=0.05)
    assert seen["bf16"]["game"] == pytest.approx(seen["float32"]["game"], rel=0.05)
    assert seen["bf16"] != seen["float32"]


def test_by_itself_a_family_that_learns_as_well_takes_bf16_where_that_is_faster(monkeypatch):
    loop, data = import_module("plausible.training.loop"), make_data(SPACE)
    for faster in (False, True):
        monkeypatch.setattr(loop, "has_fast_bf16", lambda device, faster=faster: faster)
        assert train(Diffusion(SPACE), data, Settings(steps=1)).bf16 is faster
        assert not train(Diffusion(SPACE), data, Settings(steps=1, precision="float32")).bf16
        assert not train(GAN(SPACE), data, Settings(steps=1)).bf16
    assert has_fast_bf16(torch.device("cpu")) in (False, True)
    assert not has_fast_bf16(torch.device("meta"))


def test_the_average_follows_the_formula_and_copies_buffers_and_other_players():
    model = GAN(SPACE, GAN.Config(batch=8, ema=24))
    players = list(model.players())
    average = EMA(model, players)
    w = next(model.generator.parameters())
    start = w.detach().clone()
    with torch.no_grad():
        w.add_(1)
        next(model.discriminator.parameters()).add_(1)
        model.offset.fill_(7)
    average.update(Clock(images=10_000), 8)  # half-life 24 examples, 8 seen: d = 2^(-1/3)
    kept = average.model
    assert torch.allclose(next(kept.generator.parameters()), start + 1 - 2 ** (-1 / 3), atol=1e-6)
    assert torch.equal(
        next(kept.discriminator.parameters()), next(model.discriminator.parameters())
    )
    assert kept.offset.item() == 7


def test_a_short_run_is_not_held_back_by_its_average():
    """The ramp: after n rounds the average looks back over 5% of them, whatever the half-life."""
    model = GAN(SPACE, GAN.Config(batch=1, ema=1e12))
    average = EMA(model, list(model.players()))
    w = next(model.generator.parameters())
    for n in range(400):
        with torch.no_grad():
            w.fill_(n)
        average.update(Clock(images=n), 1)
    lag = 399 - next(average.model.generator.parameters()).mean().item()
    assert 0.03 < lag / 399 < 0.08


def test_simultaneous_updates_use_the_weights_from_before_the_round():
    data, first = make_data(SPACE), []
    for simultaneous in (False, True):
        torch.manual_seed(0)
        model = GAN(SPACE, GAN.Config(batch=8))
        step = next(train(model, data, Settings(steps=2, simultaneous=simultaneous)))
        first.append(step.values())
    assert first[0]["discriminator"] == first[1]["discriminator"]
    assert first[0]["generator"] != first[1]["generator"]
    with pytest.raises(UsageError, match="once a round"):
        train(GAN(SPACE, GAN.Config(updates=2)), data, Settings(steps=1, simultaneous=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 1, "minutes": 1},
        {"steps": 0},
        {"minutes": 0},
        {"minutes": float("nan")},
        {"micro_batch": 0},
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(UsageError, match="--"):
        Settings(**wrong)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    def end(seed):
        torch.manual_seed(seed)
        model = GAN(SPACE, GAN.Config(batch=8))
        steps = list(train(model, make_data(SPACE), Settings(steps=3, seed=seed)))
        return steps[-1].values()

    assert end(0) == end(0)
    assert end(0) != end(1)
