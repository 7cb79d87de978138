"""What ``fit`` returns is asked as a run is; and what models decide is said with the names of the classes."""

import numpy as np
import pytest
from tests.conftest import refused

import plausible
from plausible.core.errors import UsageError
from plausible.training import Settings

POINTS = np.random.default_rng(0).normal(size=(90, 2)).astype("float32")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    names = np.array(["benign", "malignant"])[np.arange(90) % 2]
    folder = tmp_path_factory.mktemp("trained") / "run"
    return plausible.fit("mixture", (POINTS, names), per_class=True, out=folder)


def test_it_has_what_its_run_has(kept):
    assert len(list(kept.log()["step"])) == len(list(kept.run.log()["step"])) > 0
    with pytest.raises(UsageError, match="was not judged"):
        kept.measures()
    drawn = kept.sample(3, "malignant")
    assert drawn.x.shape == (3, 2)
    assert drawn.y.tolist() == [1, 1, 1]


def test_a_model_in_memory_has_no_log():
    alone = plausible.fit("vae", POINTS, steps=1, width=8)
    assert alone.sample(2).x.shape == (2, 2)
    with pytest.raises(UsageError, match="kept in no run: give fit a folder as out"):
        alone.log()


def test_what_each_class_decided_is_said_with_its_name(kept):
    said = " ".join(kept.run.notes)
    assert "class benign: " in said
    assert "class malignant: " in said


def test_numbers_in_quotes_are_no_numbers():
    with pytest.raises(UsageError, match="--minutes must be more than 0"):
        Settings(minutes="2")


def test_a_spent_budget_is_not_resumed_for_nothing(tmp_path, capsys):
    plausible.fit("vae", "moons", steps=1, width=8, out=tmp_path / "run")
    said = refused(capsys, "resume", tmp_path / "run", "--no-evaluate")
    assert "has used its budget: give a larger total" in said
