"""How many threads compute, and how products are rounded, is as a training wants it while it plays, and no longer."""

from types import SimpleNamespace

import pytest
import torch
from tests.conftest import make_data

from plausible.core import device
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models import GAN, NaiveBayes
from plausible.training import Settings, train
from plausible.training.computing import Computing, computing

SPACE = Space((1, 4, 4), levels=17)
SMALL = GAN.Config(batch=8, width=8)


@pytest.fixture(autouse=True)
def as_before():
    """Whatever a test does, others have as many threads as before."""
    threads, products = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    now = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(products)
    assert now == (threads, products)


def training(threads, steps=2):
    return train(GAN(SPACE, SMALL), make_data(SPACE), Settings(steps=steps, threads=threads))


def test_rounds_have_the_threads_that_were_asked_for_and_what_comes_after_has_those_of_before():
    before = torch.get_num_threads()
    playing = training(before + 2)
    assert torch.get_num_threads() == before
    seen = [torch.get_num_threads() for _ in playing]
    assert seen == [before + 2] * 2
    assert torch.get_num_threads() == before
    assert playing.threads == before + 2
    assert training(None).threads == before


def test_two_trainings_in_turns_each_have_their_own():
    one, other = training(2, 4), training(3, 4)
    for _ in range(2):
        for playing, threads in ((one, 2), (other, 3)):
            next(playing)
            assert torch.get_num_threads() == threads
    other.pause()
    one.pause()


def test_a_pause_gives_threads_back_and_going_on_takes_them_again():
    before, playing = torch.get_num_threads(), training(2, 4)
    next(playing)
    playing.pause()
    playing.pause()
    assert torch.get_num_threads() == before
    next(playing)
    assert torch.get_num_threads() == 2
    playing.pause()


def test_what_a_model_makes_of_its_data_before_it_learns_has_those_threads_too(monkeypatch):
    seen = []
    monkeypatch.setattr(GAN, "setup", lambda self, part: seen.append(torch.get_num_threads()))
    training(torch.get_num_threads() + 1)
    assert seen == [torch.get_num_threads() + 1]


def test_what_is_fitted_at_once_takes_a_number_of_threads():
    data = make_data(SPACE)
    playing = train(NaiveBayes(SPACE), data, Settings(threads=3))
    assert [torch.get_num_threads() for _ in playing] == [3] * 1


def test_products_are_rounded_inside_alone_and_threads_are_left_alone():
    torch.set_float32_matmul_precision("highest")
    before = torch.get_num_threads()
    with Computing(tf32=True):
        assert torch.get_float32_matmul_precision() == "high"
        torch.set_num_threads(before + 1)  # by somebody else, who wants it to stay
    assert torch.get_float32_matmul_precision() == "highest"
    assert torch.get_num_threads() == before + 1
    torch.set_num_threads(before)


def test_a_failure_inside_gives_back_what_was_taken():
    with pytest.raises(ZeroDivisionError), computing(Settings(threads=3)):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (0, "--threads must be auto or lie between 1 and 1,024, not 0"),
        (-1, "not -1"),
        (10**9, "not 1000000000"),
        ("many", "must be auto or lie between 1 and 1,024, not many"),
    ],
)
def test_no_number_of_threads_is_a_sentence(wrong, sentence):
    with pytest.raises(UsageError, match=sentence):
        Settings(threads=wrong)


def test_a_race_that_nobody_ran_is_a_sentence():
    with pytest.raises(UsageError, match="--threads auto is decided by a race"):
        training("auto")


def test_tf32_is_of_gpus(monkeypatch):
    data, asked = make_data(SPACE), Settings(steps=1, precision="tf32")
    with pytest.raises(UsageError, match=r"compute capability 8.0 or later.* on cpu"):
        train(GAN(SPACE, SMALL), data, asked)
    with pytest.raises(UsageError, match="fitted to all examples at once"):
        train(NaiveBayes(SPACE), data, asked)
    for capability, has in (((7, 5), False), ((8, 0), True), ((9, 0), True)):
        ask = lambda where, found=capability: found  # noqa: E731
        monkeypatch.setattr(torch.cuda, "get_device_capability", ask)
        assert device.has_tf32(torch.device("cuda", 0)) is has
        assert not device.has_tf32(torch.device("cpu"))


def test_with_tf32_every_round_multiplies_so_and_no_bf16_is_meant(monkeypatch):
    loop = __import__("plausible.training.loop", fromlist=["loop"])
    monkeypatch.setattr(loop, "has_tf32", lambda where: True)
    playing = train(GAN(SPACE, SMALL), make_data(SPACE), Settings(steps=2, precision="tf32"))
    assert not playing.bf16
    assert [torch.get_float32_matmul_precision() for _ in playing] == ["high"] * 2


def test_cores_are_those_that_the_process_is_let_have(monkeypatch):
    monkeypatch.setattr(device, "os", SimpleNamespace(sched_getaffinity=lambda process: {0, 3, 5}))
    assert device.usable_cores() == 3
    monkeypatch.setattr(device, "os", SimpleNamespace(cpu_count=lambda: 7))
    assert device.usable_cores() == 7
