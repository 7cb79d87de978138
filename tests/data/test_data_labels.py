"""Names of classes: numbers by value, however they are written."""

import numpy as np
import pytest

from plausible.core.errors import UsageError
from plausible.data.labels import check_classes, encode_labels


@pytest.mark.parametrize(
    ("labels", "names", "codes"),
    [
        (["10.0", "2.0", "0.0", "2."], ("0", "2", "10"), [2, 1, 0, 1]),
        (["1e1", "9", "2.5"], ("2.5", "9", "10"), [2, 1, 0]),
        (["007", "7.0", "7"], ("007", "7"), [0, 1, 1]),
        (["-1.0", "1.0", "-10.0"], ("-10", "-1", "1"), [1, 2, 0]),
        (["-0.0", "0", "+1"], ("0", "+1"), [0, 0, 1]),
        (["b", "10.0", "2.0", "a"], ("2", "10", "a", "b"), [3, 1, 0, 2]),
        (["2a3", "1e1", "3e2"], ("1e1", "3e2", "2a3"), [2, 0, 1]),  # words that look like numbers
        (["12345678901234567890.0", "1e400"], ("12345678901234567890", "1e400"), [0, 1]),
        (["nan", "True", "1.0"], ("1", "True", "nan"), [2, 1, 0]),
    ],
)
def test_whole_numbers_are_named_as_without_a_point(labels, names, codes) -> None:
    y, got = encode_labels(np.array(labels), "here")
    assert (got, y.tolist()) == (names, codes)


def test_classes_of_single_items_are_said() -> None:
    y = np.array([0, 0, 1, 1, 2, 3])
    assert "2 of 4 classes have one item alone" in str(check_classes(y, "here"))
    assert check_classes(y[:4], "here") is None
    with pytest.raises(
        UsageError, match=r"each of the 12 items of here has a class of its own.*--label none"
    ):
        check_classes(np.arange(12), "here")
