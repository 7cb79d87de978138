"""Several ranks that share every batch learn by the gradient of one process on the whole of it: threads in the place of processes."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tests.conftest import make_data
from torch.utils._python_dispatch import TorchDispatchMode

import plausible.models
from plausible.core.likelihood import Kind
from plausible.core.model import models
from plausible.core.ranks import sharing
from plausible.core.space import Space
from plausible.evaluation.embedding import fit_embedding
from plausible.evaluation.metrics.likelihood import log_prob_of
from plausible.models import GAN, VAE, Flow
from plausible.nn.batch_norm import BatchNorm2d
from plausible.tasks.start import start
from plausible.training import Settings, distributed, train
from plausible.training.distributed import World

BATCH, RANKS = 8, 2
SMALL = {"batch": BATCH, "width": 8, "blocks": 2, "prior_width": 8, "prior_blocks": 1, "hidden": 6}
IMAGES = Space((1, 8, 8), levels=2, classes=2)
VECTORS = Space((3,), classes=2)


class Meeting:
    """Where threads that are ranks meet: each leaves what it has and takes what all left."""

    def __init__(self, size):
        self._barrier, self._left = threading.Barrier(size, timeout=60), [None] * size

    def exchange(self, rank, value):
        """The values of all ranks."""
        self._left[rank] = value
        self._barrier.wait()
        found = list(self._left)
        self._barrier.wait()
        return found


class ThreadWorld(World):
    """One thread's place among several."""

    def __init__(self, rank, meeting):
        super().__init__(rank, RANKS)
        object.__setattr__(self, "meeting", meeting)

    def _summed(self, tensor):
        return torch.stack(self.meeting.exchange(self.rank, tensor.clone())).sum(0)

    def average(self, tensors):
        for tensor in tensors:
            tensor.copy_(self._summed(tensor) / self.size)

    def add_up(self, tensor):
        tensor.copy_(self._summed(tensor))

    def agree(self, value):
        return self.meeting.exchange(self.rank, value)[0]

    def gather(self, tensor):
        return self.meeting.exchange(self.rank, tensor.clone())

    def broadcast(self, tensors):
        pass  # they begin with copies of one model


class NoiseOfTheWhole(TorchDispatchMode):
    """What a rank draws for its share is what one process would draw for these rows of the whole batch."""

    def __init__(self, rank, size):
        super().__init__()
        self.rank, self.size, self._drawn = rank, size, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        own = kwargs.get("generator") is not None  # the order of batches, which all ranks know
        if own or torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **kwargs)
        name = func._schema.name.removeprefix("aten::")
        if name in ("rand", "randn", "randint"):
            size = args[-1] if name == "randint" else args[0]
            u = self._uniform(size, normal=name == "randn")
            if name != "randint":
                return u
            low, high = (0, args[0]) if len(args) == 2 else args[:2]
            return (low + u * (high - low)).long()
        if (
            name == "randperm"
        ):  # (it + rand) / n is uniform, and here that of these rows of the whole
            u = self._uniform(args[:1])
            added = self._uniform(args[:1])
            self._drawn -= 1  # the same is drawn next
            return args[0] * u - added
        like = args[0]
        if name in ("rand_like", "randn_like"):
            return self._uniform(like.shape, normal=name == "randn_like")
        if name == "bernoulli" and len(args) == 1:
            return (self._uniform(like.shape) < like).to(like.dtype)
        if name == "bernoulli_":
            p = args[1] if len(args) > 1 else 0.5
            return like.copy_(self._uniform(like.shape) < p)
        if name == "native_dropout":
            kept = self._uniform(like.shape) >= args[1]
            return like * kept / (1 - args[1]), kept
        if name == "uniform_":
            low, high = args[1:] if len(args) > 1 else (0.0, 1.0)
            return like.copy_(low + (high - low) * self._uniform(like.shape))
        if name == "normal_":
            mean, std = args[1:] if len(args) > 1 else (0.0, 1.0)
            return like.copy_(mean + std * self._uniform(like.shape, normal=True))
        raise NotImplementedError(name)

    def _uniform(self, shape, normal=False):
        """As many as a share of the batch has rows, or several times as many, one share after the other."""
        self._drawn += 1
        generator = torch.Generator().manual_seed(self._drawn)
        draw = torch.randn if normal else torch.rand
        share, shape = BATCH // self.size, list(shape)
        if not shape or shape[0] % share:
            return draw(shape, generator=generator)  # one for all of them
        times = shape[0] // share
        whole = draw([times, BATCH, *shape[1:]], generator=generator)
        return whole[:, self.rank :: self.size].reshape(shape)


def learned(model, data, world):
    """The training of a model after a round by noise of the whole batch, as one rank.

    Players compute their gradients before any moves, because what a first step of Adam does to a rounding is large.
    """
    settings = Settings(steps=100, precision="float32", simultaneous=True)
    training = train(model, data, settings, world=world)
    with NoiseOfTheWhole(world.rank, world.size):
        next(training)
    return training


def together_and_alone(model, data):
    """(the training of the first of two ranks, that of one process), of equal models."""
    meeting = Meeting(RANKS)
    with ThreadPoolExecutor(RANKS) as pool:
        worlds = [ThreadWorld(rank, meeting) for rank in range(RANKS)]
        ranks = [pool.submit(learned, copy.deepcopy(model), data, each) for each in worlds]
        found = [rank.result() for rank in ranks]
    return found[0], learned(model, data, World())


def assert_same_gradients(model, space):
    shared, alone = together_and_alone(model, make_data(space, 96))
    for (name, mine), (_, whole) in zip(
        shared.raw.named_parameters(), alone.raw.named_parameters(), strict=True
    ):
        if whole.grad is not None:
            size = max(1.0, whole.grad.abs().max().item())
            assert (mine.grad - whole.grad).abs().max() < 1e-6 * size, name
    return shared, alone


def of(kind, space, **choices):
    torch.manual_seed(0)
    asked = {k: v for k, v in (SMALL | choices).items() if hasattr(kind.Config, k)}
    return kind(space, kind.Config(**asked))


@pytest.mark.parametrize("name", [name for name, kind in models.items() if kind.iterates])
def test_the_mean_gradient_of_ranks_is_that_of_the_whole_batch(name):
    own = {
        "rbm": {"persistent": False}
    }  # chains that go on are each rank's own, and so more of them
    space = VECTORS if name == "mixture" else IMAGES
    assert_same_gradients(of(models[name], space, **own.get(name, {})), space)


def test_layers_that_look_at_the_whole_batch_do_so_over_all_ranks():
    choices = (
        {"architecture": "dcgan", "penalties": (), "loss": "nonsaturating"},
        {"minibatch_std": True, "penalties": ("consistency",)},
        {"loss": "relativistic-average"},
    )
    for each in choices:
        shared, alone = assert_same_gradients(of(GAN, IMAGES, **each), IMAGES)
        for (which, mine), whole in zip(
            shared.raw.named_buffers(), alone.raw.buffers(), strict=True
        ):
            # what D says after its first step, to which a rounding is much
            near = 1e-3 if which.startswith("strength") else 1e-6
            assert torch.allclose(mine.float(), whole.float(), atol=near), (each, which)
    assert_same_gradients(of(VAE, IMAGES, free_bits=0.05), IMAGES)


def test_codes_and_strengths_that_a_batch_moves_move_as_in_one_process():
    space = Space((1, 8, 8), levels=256)
    for name in ("vq-vae", "gan"):
        model = of(models[name], space)
        shared, alone = together_and_alone(model, make_data(space, 96))
        moved = "codebook" if name == "vq-vae" else "strength"
        assert moved in dict(shared.raw.named_children())
        for (which, mine), whole in zip(
            getattr(shared.raw, moved).named_buffers(),
            getattr(alone.raw, moved).buffers(),
            strict=True,
        ):
            assert torch.allclose(mine, whole, rtol=1e-5, atol=1e-6), (name, which)


def test_torchs_batch_norm_that_sees_one_share_is_refused_in_a_sentence():
    model = of(GAN, IMAGES)
    model.extra = torch.nn.BatchNorm2d(1)
    with pytest.raises(plausible.UsageError, match="BatchNorm2d"):
        train(model, make_data(IMAGES), Settings(steps=1), world=World(0, 2))
    model.extra = BatchNorm2d(1)
    assert train(model, make_data(IMAGES), Settings(steps=1)).world.size == 1


def alone_and_in_shares(work):
    """(what one process finds, [what each of two that share it finds])."""
    meeting = Meeting(RANKS)

    def shared(rank):
        with sharing(ThreadWorld(rank, meeting)):
            return work()

    with ThreadPoolExecutor(RANKS) as pool:
        return work(), list(pool.map(shared, range(RANKS)))


@pytest.mark.parametrize("n", [1, 700, 1600, 4200])
def test_points_seen_and_log_prob_in_shares_are_those_of_one_process(n):
    """Few points, of which a process has none, and pieces that do not come out even."""
    data = make_data(VECTORS, 300)
    embedding = fit_embedding(data.train, 100)
    points = make_data(VECTORS, 3 * n).heldout
    model = of(Flow, VECTORS, conditional=True).eval()

    def seen():
        found = embedding.embed(points)
        log_prob = log_prob_of(model, points, torch.Generator())
        assert log_prob.kind is Kind.EXACT
        return found.features, found.raw, found.modes, log_prob.nats

    whole, shares = alone_and_in_shares(seen)
    assert all(len(each) == n for each in whole)
    for mine in shares:
        assert all(torch.equal(a, b) for a, b in zip(mine, whole, strict=True))


def test_ranks_that_have_read_other_data_or_are_of_another_version_refuse_in_one_sentence(
    monkeypatch,
):
    meeting = Meeting(RANKS)

    def refused(rank):
        with pytest.raises(plausible.UsageError) as reason:
            start(
                "gan",
                make_data(IMAGES, seed=rank),
                settings=Settings(steps=1),
                world=ThreadWorld(rank, meeting),
            )
        return str(reason.value)

    with ThreadPoolExecutor(RANKS) as pool:
        said = set(pool.map(refused, range(RANKS)))
    assert said == {
        "process 1 of 2 has read other data than process 0: bring the same on all machines"
    }
    other = lambda world, tensor: [tensor, tensor + 1]  # noqa: E731  # what a process of another version answers
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name, value in {"is_initialized": True, "get_rank": 0, "get_world_size": 2}.items():
        monkeypatch.setattr(distributed.dist, name, lambda value=value: value)
    monkeypatch.setattr(World, "gather", other)
    monkeypatch.setattr(distributed, "leave", lambda: None)
    with pytest.raises(
        plausible.UsageError, match="process 1 of 2 runs another version of plausible"
    ):
        distributed.join(torch.device("cpu"))


def test_what_cannot_be_measured_is_said_by_every_process():
    points = make_data(VECTORS, 6000).heldout
    points.values[-1] = float("nan")  # in the share of the last one alone
    embedding = fit_embedding(make_data(VECTORS, 300).train, 100)

    def refused():
        with pytest.raises(plausible.NotDefined, match="NaN") as reason:
            embedding.embed(points)
        return str(reason.value)

    alone, shares = alone_and_in_shares(refused)
    assert shares == [alone, alone]


def test_samples_in_shares_are_those_of_one_process():
    meeting, model = Meeting(RANKS), of(GAN, IMAGES, conditional=True).eval()

    def drawn(rank):
        with sharing(ThreadWorld(rank, meeting)):
            return model.sample(7, generator=torch.Generator().manual_seed(3))

    with ThreadPoolExecutor(RANKS) as pool:
        first, second = pool.map(drawn, range(RANKS))
    alone = model.sample(7, generator=torch.Generator().manual_seed(3))
    for each in (first, second):
        assert torch.equal(each.x, alone.x)
        assert torch.equal(each.y, alone.y)
