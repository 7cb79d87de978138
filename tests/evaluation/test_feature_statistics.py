"""Statistics of features in files: those of other programs, ours, and what is refused."""

import numpy as np
import pytest
import torch

import plausible
from plausible.cli.main import main
from plausible.core.errors import NotDefined, UsageError
from plausible.core.space import Batch, Space
from plausible.evaluation.feature_statistics import FeatureStatistics, probe_points, probed
from plausible.evaluation.metrics.distances import frechet
from plausible.tasks.feature_statistics import HELDOUT, SAMPLES, distance_to_file, save_statistics


def drawn(n, d, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator) @ torch.randn(d, d, generator=generator)


@pytest.fixture(scope="module")
def report():
    """Held-out points of the plane taken for samples."""
    data = plausible.from_arrays(drawn(300, 2, 0).numpy())
    return plausible.evaluate(Batch(drawn(60, 2, 1)), data, n=60)


def halved(x):
    """An extractor of a user."""
    return torch.cat([x.flatten(1), x.flatten(1).square()], 1)


def test_the_distance_of_statistics_is_that_of_their_points():
    a, b = drawn(200, 5, 0), drawn(300, 5, 1) + 1
    found = FeatureStatistics.of(a).frechet(FeatureStatistics.of(b))
    assert found == pytest.approx(frechet(a, b), rel=1e-8)
    assert FeatureStatistics.of(a).frechet(FeatureStatistics.of(a)) == pytest.approx(0, abs=1e-6)
    with pytest.raises(NotDefined, match="at least 2 rows"):
        FeatureStatistics.of(a[:1])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_of_another_program_is_read(tmp_path, save):
    rows = drawn(50, 3, 0).double().numpy()  # as clean-fid and pytorch-fid write them
    save(tmp_path / "theirs.npz", mu=rows.mean(0), sigma=np.cov(rows, rowvar=False))
    found = FeatureStatistics.read(tmp_path / "theirs.npz")
    assert (found.probe, found.count, found.features) == (None, None, "")
    assert torch.allclose(found.sigma, FeatureStatistics.of(torch.from_numpy(rows)).sigma)


def test_what_is_written_is_read_again_and_by_numpy(tmp_path):
    rows, space = drawn(50, 2, 0), Space((2,))
    ours = FeatureStatistics.of(rows, "coordinates", probed(lambda x: x, space))
    (tmp_path / "a.npz").write_bytes(ours.packed())
    again = FeatureStatistics.read(tmp_path / "a.npz")
    assert (again.count, again.features) == (50, "coordinates")
    assert torch.equal(again.mu, ours.mu)
    assert torch.equal(again.probe, ours.probe)
    with np.load(tmp_path / "a.npz") as plain:
        assert np.allclose(plain["sigma"], np.cov(rows.double().numpy(), rowvar=False))
    levels = probe_points(Space((1, 2, 2), 3))
    assert set((levels * 2).unique().tolist()) <= {0, 1, 2}


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"mu": np.zeros(3)}, "holds no statistics of features, .* but mu"),
        ({"mu": np.zeros(3), "sigma": np.eye(2)}, r"of shape \(2, 2\)"),
        ({"mu": np.zeros((3, 1)), "sigma": np.eye(3)}, "mu must be d numbers"),
        ({"mu": np.array(["a"]), "sigma": np.eye(1)}, "mu must be d numbers"),
        ({"mu": np.full(2, np.nan), "sigma": np.eye(2)}, "must be finite"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 2], [0, 1]])}, "not symmetric"),
    ],
)
def test_a_file_that_holds_no_statistics_is_a_sentence(tmp_path, arrays, why):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UsageError, match=f"a.npz.*{why}"):
        FeatureStatistics.read(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"PK rubbish")
    with pytest.raises(UsageError, match=r"b.npz cannot be read"):
        FeatureStatistics.read(tmp_path / "b.npz")


def test_an_evaluation_writes_its_own_and_finds_the_same_distance_by_them(report, tmp_path):
    heldout, samples = save_statistics(report, tmp_path)
    assert (heldout.name, samples.name) == (HELDOUT, SAMPLES)
    assert all(FeatureStatistics.read(path).count == 60 for path in (heldout, samples))
    found = distance_to_file(report, heldout)
    evalset = report.evalset
    expected = frechet(evalset.samples.features, evalset.heldout.features)
    assert found.samples.value == pytest.approx(expected, rel=1e-6)
    assert found.heldout.value == pytest.approx(0, abs=1e-6)
    assert found.samples.kind == "<="


def test_statistics_of_other_features_are_refused_with_what_was_expected(report, tmp_path):
    d = report.evalset.heldout.features.shape[1]
    np.savez(tmp_path / "inception.npz", mu=np.zeros(2048), sigma=np.eye(2048))
    with pytest.raises(UsageError, match=f"2,048 features: expected are the {d} of this evaluation"):  # fmt: skip
        distance_to_file(report, tmp_path / "inception.npz")
    np.savez(tmp_path / "as_many.npz", mu=np.zeros(d), sigma=np.eye(d))
    with pytest.raises(UsageError, match=r"does not say of which features .* give the extractor"):
        distance_to_file(report, tmp_path / "as_many.npz")
    other = plausible.evaluate(
        Batch(drawn(60, 2, 1)), plausible.from_arrays(drawn(300, 2, 5).numpy()), n=60
    )
    with pytest.raises(UsageError, match=r"of other features .* of the same number"):
        distance_to_file(report, save_statistics(other, tmp_path)[0])


def test_a_file_of_another_program_is_taken_for_the_extractor_of_the_caller(tmp_path):
    data = plausible.from_arrays(drawn(300, 2, 0).numpy())
    report = plausible.evaluate(Batch(drawn(60, 2, 1)), data, n=60, features=halved)
    rows = halved(data.heldout.batch(slice(0, 60)).x).double().numpy()
    np.savez(tmp_path / "theirs.npz", mu=rows.mean(0), sigma=np.cov(rows, rowvar=False))
    found = distance_to_file(report, tmp_path / "theirs.npz")
    assert found.samples.value > found.heldout.value
    assert "taken for those of halved, because there are as many, 4" in found.notes[0]


def test_the_command_writes_and_reads_them(tmp_path, capsys):
    np.savez(tmp_path / "real.npz", drawn(300, 2, 0).numpy())
    np.savez(tmp_path / "made.npz", drawn(60, 2, 1).numpy())
    asked = ["evaluate", "--samples", str(tmp_path / "made.npz"), "--data", str(tmp_path / "real.npz"), "-n", "60"]  # fmt: skip
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    main([*asked, "--write-statistics", "--out", first])
    main([*asked, "--statistics", f"{first}/{HELDOUT}", "--out", second])
    said = " ".join(capsys.readouterr().out.split())
    assert "Frechet distance to heldout-statistics.npz: " in said
    with pytest.raises(SystemExit) as refused:
        main([*asked, "--statistics", str(tmp_path / "none.npz"), "--out", second])
    assert refused.value.code == 2
    assert "give a .npz file with mu and sigma" in " ".join(capsys.readouterr().err.split())
    np.savez(tmp_path / "inception.npz", mu=np.zeros(2048), sigma=np.eye(2048))
    torch.save({"mu": np.zeros(2048), "sigma": np.eye(2048)}, tmp_path / "fidelity.pt")
    for name, why in (
        ("inception.npz", "does not say of which 2,048 features its statistics are"),
        ("fidelity.pt", "holds no statistics of features, which are mu and sigma in a .npz file"),
    ):
        with pytest.raises(SystemExit) as refused:
            main([*asked, "--statistics", str(tmp_path / name), "--out", str(tmp_path / "third")])
        assert refused.value.code == 2
        assert why in " ".join(capsys.readouterr().err.split())
        assert not (tmp_path / "third").exists()  # before anything is measured
