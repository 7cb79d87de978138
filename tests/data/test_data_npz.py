"""Archives of numpy under the names that people give: which array is what, and which part is held out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.part import Data

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (30, 6, 5), dtype=np.uint8)
Y = np.arange(30) % 3
TEST = RNG.integers(0, 256, (12, 6, 5), dtype=np.uint8)
TEST_Y = np.arange(12) % 3


def zipped(folder: Path, **arrays: object) -> Data:
    np.savez(folder / "a.npz", **arrays)  # type: ignore[arg-type]
    return load(str(folder / "a.npz"))


def said(data: Data) -> str:
    return " | ".join(data.notes)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("train_data", "train_targets", "test_data", "test_targets"),
        ("images_train", "labels_train", "images_test", "labels_test"),
        ("Xtr", "Ytr", "Xte", "Yte"),
        ("train", "train_labels", "test", "test_labels"),
        ("training-images", "training-labels", "testing-images", "testing-labels"),
    ],
)
def test_a_test_part_is_held_out(tmp_path: Path, names: tuple[str, ...]) -> None:
    for kind in ("i8", ">i4", "f8", "U"):
        arrays = (X, Y.astype(kind), TEST, TEST_Y.astype(kind))
        data = zipped(tmp_path, **dict(zip(names, arrays, strict=True)))
        assert torch.equal(data.heldout.values[:, 0], torch.from_numpy(TEST))
        assert data.heldout.y is not None
        assert data.heldout.y.tolist() == TEST_Y.tolist()
        assert len(data.train) + len(data.validation) == 30
        assert f"the 12 items of {names[2]} are the held-out part" in said(data)
        assert "of the arrays" not in said(data)


@pytest.mark.parametrize(
    "names",
    [
        ("X", "Y"),
        ("X", "y"),
        ("data", "target"),
        ("images", "labels"),
        ("features", "classes"),
        ("x_train", "y_train"),
        ("arr_0", "arr_1"),
        ("image", "label"),
        ("samples", "targets"),
    ],
)
def test_items_and_labels(tmp_path: Path, names: tuple[str, str]) -> None:
    data = zipped(tmp_path, **dict(zip(names, (X, Y[:, None]), strict=True)))
    assert data.survey.classes == {"0": 10, "1": 10, "2": 10}
    assert len(data.heldout) == 6


def test_a_validation_part_joins_the_others(tmp_path: Path) -> None:
    for name in ("val", "valid", "validation"):
        data = zipped(tmp_path, **{"x_test": TEST, "x_train": X, f"x_{name}": X[:7]})
        assert torch.equal(data.heldout.values[:, 0], torch.from_numpy(TEST))
        assert len(data.train) + len(data.validation) == 37
        assert f"the 7 items of x_{name} join the others" in said(data)


def test_what_is_not_read_is_said(tmp_path: Path) -> None:
    data = zipped(tmp_path, x_train=X, y_train=Y, x_test=TEST, mean=np.zeros(3))
    assert "x_test has no labels and the others have, so it is left out" in said(data)
    assert "of the arrays x_train, y_train, x_test, mean only x_train, y_train are read" in said(
        data
    )
    assert data.survey.count == 30
    data = zipped(tmp_path, x_train=X, x_test=TEST, y_test=TEST_Y)
    assert data.space.classes == 0
    assert len(data.heldout) == 12
    assert "only x_train, x_test are read" in said(data)
    data = zipped(tmp_path, x=X, data=TEST)
    assert data.survey.count == 30
    assert "of the arrays x, data only x is read" in said(data)
    data = zipped(tmp_path, arr_0=X, arr_1=Y)
    assert "arr_1 is taken as the labels of arr_0" in said(data)
    data = zipped(tmp_path, arr_0=X, arr_1=RNG.random(30))
    assert "of the arrays arr_0, arr_1 only arr_0 is read" in said(data)
    assert len(zipped(tmp_path, x_test=TEST, y_test=TEST_Y).heldout) == 2


def test_what_is_decided_holds_for_all_parts(tmp_path: Path) -> None:
    """The test part alone would be of 10 bits, or of 2 levels."""
    bright, dark = (RNG.integers(0, top, (20, 4, 4)).astype(">u2") for top in (4096, 900))
    data = zipped(tmp_path, x_train=bright, x_test=dark)
    assert int(data.heldout.values.max()) == round(int(dark.max()) / 4095 * 255)
    data = zipped(tmp_path, x_train=X, x_test=TEST % 2)
    assert int(data.heldout.values.max()) == 1
    assert data.space.levels == 256


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X, "x_train": X}, "whether to read x or x_train; its arrays: x, x_train"),
        ({"data": X, "features": X}, "whether to read data or features"),
        ({"x_train": X, "X_train": X}, "whether to read x_train or X_train"),
        ({"data": X, "label": Y, "target": Y}, "whether to read label or target"),
        (
            {"first": X, "second": X},
            "needs an array called x; its arrays: first, second .known are",
        ),
        ({"x_train": X, "x_test": TEST[:, :3]}, "x_train and x_test in .* different shape"),
        ({"x_train": X, "x_test": TEST / 255}, "different types: uint8 and float64"),
        ({"x_train": X, "y_train": Y[:5]}, "5 labels for the 30 items"),
        ({"x_train": np.array(3), "x_test": TEST}, "shape"),
        ({"x_train": np.array(3)}, "shape"),
        ({"arr_0": np.array(3), "arr_1": Y}, "shape"),
    ],
)
def test_what_leaves_a_doubt_is_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], words: str
) -> None:
    with pytest.raises(UsageError, match=words) as error:
        zipped(tmp_path, **arrays)
    assert "a.npz" in str(error.value)
