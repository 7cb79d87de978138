"""What benchmarks/limits.py counts."""

import pytest
import torch
from benchmarks.flops import flops
from benchmarks.traffic import traffic

x, rows = torch.ones(100, 10), torch.arange(7)
layer = torch.nn.Linear(10, 3)

CALLS = {
    "reads one, writes one": (lambda: x + 1, 8000),
    "changes its own": (lambda: x[:50].mul_(2), 4000),
    "a view": (lambda: x.view(10, 100).T, 0),
    "is only written": (lambda: torch.empty(100).fill_(1), 400),
    "a copy": (lambda: torch.empty(100, 10).copy_(x), 8000),
    "a number that is repeated": (lambda: x * torch.ones(()).expand(100, 10), 8008),
    "rows that are looked up": (lambda: x.index_select(0, rows), 2 * 7 * 10 * 4),
    "a product": (lambda: layer(x), 0),
    "an update in place": (lambda: torch._foreach_add_([x, x], 0), 16000),
}


@pytest.mark.parametrize("name", CALLS)
@torch.no_grad()
def test_bytes_are_those_that_an_operation_reads_and_writes(name):
    call, expected = CALLS[name]
    assert traffic(call) == expected


def test_operations_of_products_are_counted_and_nothing_else():
    assert flops(lambda: (layer(x) + 1).sum()) == 2 * 100 * 10 * 3
