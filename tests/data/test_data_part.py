"""Parts: decoding, drawing, hashes; and the split."""

import pytest
import torch

from plausible.core.space import Space
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.part import Part
from plausible.data.split import split


def part(**changes: object) -> Part:
    given = {
        "values": torch.arange(12, dtype=torch.uint8).reshape(3, 1, 2, 2),
        "y": torch.tensor([0, 1, 0]),
        "space": Space((1, 2, 2), 17, 2),
    }
    return Part(**{**given, **changes})  # type: ignore[arg-type]


def test_batches_are_decoded_on_the_grid() -> None:
    batch = part().batch(torch.tensor([2, 0]))
    assert batch.x.dtype == torch.float32
    assert torch.equal(batch.x[0, 0], torch.tensor([[8.0, 9], [10, 11]]) / 16)
    assert batch.y is not None
    assert batch.y.tolist() == [0, 0]
    whole = part().as_batch()
    assert torch.equal(part().batch(slice(0, 3)).x, whole.x)
    assert len(whole) == len(part()) == 3


def test_changing_a_batch_of_vectors_does_not_change_the_data() -> None:
    vectors = Part(torch.ones(4, 2), None, Space((2,)))
    vectors.batch(slice(0, 4)).x.zero_()
    vectors.as_batch().x.zero_()
    assert vectors.values.min() == 1
    assert vectors.as_batch().y is None


def test_dynamic_draws_follow_the_grey_values() -> None:
    greys = torch.tensor([0, 4, 8, 16], dtype=torch.uint8).repeat(20_000, 1).reshape(-1, 1, 2, 2)
    dynamic = Part(greys, None, Space((1, 2, 2), 2), grey_levels=17)
    torch.manual_seed(0)
    first, second = dynamic.batch(slice(0, 20_000)).x, dynamic.batch(torch.arange(20_000)).x
    assert set(first.unique().tolist()) == {0.0, 1.0}
    mean = first.mean(0).flatten()
    assert mean[0] == 0
    assert mean[3] == 1
    error = (0.25 / 20_000) ** 0.5
    assert (mean - torch.tensor([0, 0.25, 0.5, 1])).abs().max() < 4 * error
    assert not torch.equal(first, second)
    torch.manual_seed(0)
    assert torch.equal(dynamic.batch(slice(0, 20_000)).x, first)


def test_everything_is_drawn_from_its_seed() -> None:
    values = torch.full((50, 1, 2, 2), 8, dtype=torch.uint8)
    dynamic = Part(values, None, Space((1, 2, 2), 2), grey_levels=17)
    state = torch.get_rng_state()
    assert torch.equal(dynamic.as_batch(3).x, dynamic.as_batch(3).x)
    assert not torch.equal(dynamic.as_batch(3).x, dynamic.as_batch(4).x)
    assert torch.equal(torch.get_rng_state(), state)


def test_hash_is_of_the_content() -> None:
    assert len(part().hash) == 64
    assert part().hash == part().hash == part().to("cpu").hash
    others = [
        part(values=part().values.clone().flip(0)),
        part(values=part().values.reshape(3, 4, 1, 1)),
        part(y=torch.tensor([0, 1, 1])),
        part(y=None),
        part(space=Space((1, 2, 2), 256, 2)),
        part(grey_levels=17, space=Space((1, 2, 2), 2, 2)),
    ]
    assert len({part().hash, *(other.hash for other in others)}) == 1 + len(others)


@pytest.mark.parametrize(("count", "brought"), [(10, 0), (1797, 0), (70_000, 10_000), (12, 2)])
def test_split_is_a_partition(count: int, brought: int) -> None:
    rows = split(count, brought)
    assert torch.equal(torch.cat(rows).sort().values, torch.arange(count))
    assert min(len(part) for part in rows) >= 1
    if brought:
        assert torch.equal(rows[2], torch.arange(count - brought, count))


def test_sizes_of_the_split() -> None:
    assert [len(rows) for rows in split(1797)] == [1168, 129, 500]
    assert [len(split(n)[2]) for n in (10, 1666, 1667, 2500, 2501, 3000)] == [
        2,
        333,  # a fifth: 500 would be more than three tenths
        500,
        500,
        500,
        600,
    ]
    assert [len(rows) for rows in split(1_000_000)] == [985_000, 5_000, 10_000]
    assert [len(rows) for rows in split(70_000, 10_000)] == [55_000, 5_000, 10_000]


def test_digits() -> None:
    digits = load()
    assert digits.name == "digits"
    assert digits.space == Space((1, 8, 8), 17, 10)
    assert digits.survey.count == sum(digits.survey.classes.values()) == 1797
    assert digits.class_names == tuple("0123456789")
    assert len({*digits.hashes.values()}) == 3
    assert load().hashes == digits.hashes
    assert set(digits.hashes) == {"train", "validation", "heldout"}
    assert digits.to("cpu").hashes == digits.hashes
    assert int(digits.train.values.max()) == 16
    # frozen: another number means that runs no longer know their data
    assert digits.hashes["train"].startswith("90f1e7bafde93d1f")
    x = digits.train.batch(torch.arange(100)).x
    assert torch.equal(x, digits.space.quantise(x))


def test_binarised_digits() -> None:
    digits = load()
    dynamic = load("digits", Options(binarise="dynamic"))
    assert dynamic.space.levels == 2
    assert dynamic.train.grey_levels == 17
    assert torch.equal(dynamic.train.values, digits.train.values)
    static = load("digits", Options(binarise="static"))
    assert static.hashes == load("digits", Options(binarise="static")).hashes
    x = static.train.as_batch().x
    assert abs(x.mean() - digits.train.as_batch().x.mean()) < 0.005
    half = load("digits", Options(binarise="threshold"))
    assert torch.equal(half.train.values, (digits.train.values > 8).to(torch.uint8))
    assert half.hashes == load("digits", Options(levels=2)).hashes
