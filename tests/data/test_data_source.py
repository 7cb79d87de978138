"""Names and paths are checked without torch, and every refusal is one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest
import tyro

from plausible.core.errors import UsageError
from plausible.data.options import Options
from plausible.data.readers.idx import idx_path
from plausible.data.source import NAMES, TOYS, Source, resolve_files, resolve_source
from plausible.data.toys import toys


def heavy(source: str) -> list[str]:
    """The large packages that a fresh interpreter has loaded once it has resolved a source."""
    code = (
        "import sys\nfrom plausible.data.source import resolve_source\n"
        f"try: resolve_source({source!r})\nexcept ValueError as error: print(error, file=sys.stderr)\n"
        "print(*(m for m in ('torch', 'numpy', 'PIL', 'sklearn') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_resolving_needs_no_torch() -> None:
    assert heavy("digits") == heavy(".") == []
    assert heavy("nowhere") == ["numpy"]  # for what the readers say of their formats


def test_names_and_toys_agree() -> None:
    assert set(TOYS) == set(toys)
    for name in ("digits", *TOYS):
        assert resolve_source(name) == Source(name, None)
        assert resolve_source(name).name == resolve_source(name).address == name


def test_a_path_has_a_short_name_and_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my folder.d" / "digits").mkdir(parents=True)
    (tmp_path / "my folder.d" / "a.npy.gz").touch()
    monkeypatch.chdir(tmp_path)
    folder, file = resolve_source("my folder.d"), resolve_source("my folder.d/a.npy.gz")
    assert (folder.name, file.name) == ("my-folder.d", "a.npy")
    assert folder.address == str((tmp_path / "my folder.d").resolve())
    monkeypatch.chdir(tmp_path / "my folder.d")
    assert resolve_source("./digits").path == Path("digits")
    assert resolve_source("digits").path is None


def test_what_files_are_needed_for_is_said() -> None:
    with pytest.raises(
        UsageError, match=r"^ring is a data set and not a file or folder; use \./ring$"
    ):
        resolve_files("ring")
    with pytest.raises(UsageError, match="file or folder of samples; use"):
        resolve_files("digits", "samples")
    assert resolve_files(".") == Path(".")


def test_unknown_name_lists_all_and_suggests_the_nearest() -> None:
    with pytest.raises(UsageError) as refused:
        resolve_source("digit")
    said = str(refused.value)
    assert "'digit'" in said
    assert "did you mean 'digits'" in said
    assert all(name in said for name in NAMES)
    assert "\n" not in said


@pytest.mark.parametrize("source", ["", "  ", "x" * 5000, "a\0b", "no/such/folder", "~nobody"])
def test_impossible_paths(source: str) -> None:
    with pytest.raises(UsageError, match=r"unknown data set|no/such/folder does not exist: give"):
        resolve_source(source)


def test_link_to_itself(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(UsageError, match="back to itself"):
        resolve_source(str(loop))


def test_missing_mnist_is_no_mistake_until_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAUSIBLE_DATA", str(tmp_path))
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "cache"))
    found = resolve_source("mnist")
    assert (found.path, found.name) == (tmp_path / "cache" / "data" / "mnist", "mnist")
    assert not (tmp_path / "cache").exists()


def test_mnist_is_searched_in_all_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAUSIBLE_DATA", raising=False)
    folder = tmp_path / "shared" / "data" / "mnist"
    folder.mkdir(parents=True)
    (folder / "train-images.idx3-ubyte").touch()
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "deep" / "er").mkdir(parents=True)
    for place in ("repository", "repository/deep/er"):
        monkeypatch.chdir(tmp_path / place)
        assert resolve_source("mnist").path == folder
    monkeypatch.setenv("PLAUSIBLE_DATA", str(tmp_path / "own"))
    own = tmp_path / "own" / "mnist"
    own.mkdir(parents=True)
    (own / "train-images-idx3-ubyte.gz").touch()
    assert resolve_source("mnist") == Source("mnist", own)
    assert idx_path(own, "train", "labels") is None


def test_options_are_flags() -> None:
    flags = ["--size", "16", "--channels", "3", "--background", "black", "--binarise", "static"]
    options = tyro.cli(Options, args=flags)
    assert options == Options(size=16, channels=3, background="black", binarise="static")
