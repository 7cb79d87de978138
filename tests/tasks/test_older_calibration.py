"""A run that was calibrated before distances from the training part were kept."""

import numpy as np
import pytest

import plausible
from plausible import fit, score
from plausible.core.errors import UsageError
from plausible.recognition import calibration_set
from plausible.tasks import calibrated


@pytest.fixture
def older(tmp_path, monkeypatch):
    """A run whose data are in some.npz, calibrated by a version that knew no distances."""
    monkeypatch.chdir(tmp_path)
    some = plausible.load("digits").train.rows(slice(0, 200))
    np.savez("some.npz", x=some.values.numpy(), y=some.y.numpy(), levels=17)
    fit("naive-bayes", "some.npz", out="run")
    with monkeypatch.context() as before:
        before.setattr(calibration_set, "familiarity", lambda train, seed: None)
        assert score("run", some.as_batch().x[:2]).novelty == "either"
    return some.as_batch().x[:3]


def test_it_keeps_distances_from_now_on_where_its_data_are_there(older, tmp_path):
    assert score("run", older).novelty == "combined"
    (tmp_path / "some.npz").unlink()
    assert score("run", older).novelty == "combined"


def test_it_answers_by_what_it_has_where_they_are_gone(older, tmp_path):
    (tmp_path / "some.npz").unlink()
    found = score("run", older)
    assert (found.novelty, len(found)) == ("either", 3)
    assert calibrated("run").calibration.familiarity is None
    with pytest.raises(UsageError, match="--novelty combined needs distances"):
        score("run", older, novelty="combined")
