"""A source with one thing wrong gives data that lie in their space, or one line that names it, and nothing else.

``benchmarks/fuzz.py`` asks the same of many more.
"""

import gzip
import tempfile
import warnings
from pathlib import Path
from random import Random

import numpy as np
import pytest
from benchmarks import damaged_arrays, damaged_columns, damaged_pictures, damaged_tables  # noqa: F401  # fill the registries
from benchmarks.damage import ask, mutated, sources, whole
from benchmarks.damaged_arrays import idx_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

import plausible
from plausible.core.errors import UsageError, one_line
from plausible.data.readers import readers

RANDOM = st.randoms(use_true_random=False)
# pictures take ten times as long as arrays, and what pyarrow writes, too
FEW = settings(max_examples=12, derandomize=True, deadline=None, database=None)
MANY = settings(max_examples=60, derandomize=True, deadline=None, database=None)


SLOW = [name for name in readers if name.startswith("image") or name == "parquet"]


def asked(source):
    """What becomes of a source, with the warnings of decoders passed over."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return ask(source, Path(folder))


def test_every_reader_has_sources_with_one_thing_wrong():
    assert sources.keys() == whole.keys() == set(readers)


@pytest.mark.parametrize("name", readers)
def test_a_source_with_nothing_wrong_is_read(name):
    for seed in range(5):
        assert asked(whole[name](Random(seed))).what == "accepted", seed


@pytest.mark.parametrize("name", readers)
def test_one_thing_wrong_is_read_or_refused_in_a_line(name):
    @(FEW if name in SLOW else MANY)
    @given(random=RANDOM)
    def holds(random):
        source = sources[name](random)
        outcome = asked(source)
        assert outcome.what != "broken", (source.wrong, outcome.said)

    holds()


@pytest.mark.parametrize("name", readers)
def test_other_bytes_are_read_or_refused_in_a_line(name):
    @(FEW if name in SLOW else MANY)
    @given(random=RANDOM)
    def holds(random):
        source = mutated(random, name)
        outcome = asked(source)
        assert outcome.what != "broken", (source.wrong, outcome.said)

    holds()


@pytest.mark.parametrize("place", [10, 11, 20, -5, -1])
def test_a_damaged_gzip_file_is_refused_in_a_line(tmp_path, place):
    path = tmp_path / "a.gz"
    content = bytearray(gzip.compress(idx_bytes(np.arange(256, dtype=np.uint8).reshape(16, 4, 4))))
    content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.gz") as refusal:
        plausible.load(path)
    assert str(refusal.value).isprintable()


def test_a_picture_that_is_far_too_short_for_its_pixels_is_refused_at_once(tmp_path, monkeypatch):
    for k in range(12):
        (tmp_path / f"{k}.pgm").write_bytes(b"P5\n1 60000000\n255\n" + bytes(192))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("decoded"))
    with pytest.raises(UsageError, match="cut off: 1x60000000 pixels need more than 210 bytes"):
        plausible.load(tmp_path)


def test_labels_beyond_whole_numbers_are_no_classes(tmp_path):
    y = np.array([1e30] * 6 + [2.0] * 6)
    np.savez(tmp_path / "a.npz", x=np.zeros((12, 3)), y=y)
    with pytest.raises(UsageError, match="must be whole numbers or words"):
        plausible.load(tmp_path / "a.npz")


def test_what_files_are_called_cannot_give_orders_to_a_terminal(tmp_path):
    np.savez(tmp_path / "a.npz", **{"x": np.zeros((12, 3)), "\x1b[2Ja\nb": np.zeros(2)})
    notes = plausible.load(tmp_path / "a.npz").notes
    assert any("\\x1b[2Ja b" in note for note in notes)
    assert all(note.isprintable() for note in notes)


def test_a_sentence_is_one_line_whatever_it_quotes():
    assert str(UsageError("a\n  b")) == "a b"
    assert one_line("\x1b[31m \u202e ü ½") == "\\x1b[31m \\u202e ü ½"
    assert one_line("\udcff") == "\\udcff"
    assert str(UsageError()) == ""
