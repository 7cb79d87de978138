"""What is said when the memory is at an end."""

import numpy as np
import pytest
import torch

from plausible.core.memory import available_memory, out_of_memory


def test_what_torch_and_numpy_raise_becomes_a_sentence() -> None:
    for ask in (lambda: torch.empty(2**50), lambda: np.empty(2**50)):
        with pytest.raises((MemoryError, RuntimeError)) as raised:
            ask()
        sentence = out_of_memory(raised.value)
        assert sentence is not None
        assert "GiB more were needed at once" in sentence
    cuda = RuntimeError(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB"
    )
    assert "2.0 GiB more" in str(out_of_memory(cuda))
    assert out_of_memory(MemoryError()) is not None


def test_other_errors_stay_what_they_are() -> None:
    assert out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None
    assert out_of_memory(ValueError("out of memory")) is None


def test_there_is_memory() -> None:
    assert available_memory() > 2**20


def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2**10, 2**10))
    assert available_memory() == 0
