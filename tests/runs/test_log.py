"""The log of a training: read as it was written, and in today's words where it was written in others."""

import json
from pathlib import Path

import pytest

from plausible.core.errors import UsageError
from plausible.core.reading import CONSTANT_UNITS, D_REAL, GRADIENT_NORM, LOSS, Reading
from plausible.diagnosis import History, run_alarms
from plausible.diagnosis.chain_mixing import AUTOCORRELATION
from plausible.diagnosis.discriminator import AUC_TRAIN, D_VALIDATION
from plausible.diagnosis.frozen_player import WEIGHT_NORM
from plausible.diagnosis.history import PROBES
from plausible.diagnosis.missing_modes import FRECHET_RATIO
from plausible.diagnosis.overfitting import VALIDATION_LOSS
from plausible.diagnosis.posterior_collapse import KL
from plausible.runs import Run
from plausible.runs.log import DamagedLog, read_history, read_log, upgrade_line
from plausible.runs.logger import unlogged_findings
from plausible.runs.saving import cut_log

OLD = Path(__file__).parent / "old_logs"  # of runs made before, as they were written
# what alarms said of them then, and the first number of their evidence
FOUND = {
    "gan": {
        "vanishing gradient": ("fine", 0.5699248909950256),
        "discriminator overfitting": ("fine", 0.012156945034435578),
        "frozen player": ("fine", 59.0),
        "missing modes": ("fine", 0.10616438090801239),
        "dead units": ("fine", 0.0),
    },
    "vae": {
        "posterior collapse": ("note", 0.21653960645198822),
        "overfitting": ("fine", 108.1028823852539),
        "frozen player": ("fine", 59.0),
        "dead units": ("fine", 0.0),
    },
    "rbm": {
        "chain mixing": ("fine", 0.0849523856737399),
        "frozen player": ("fine", 39.0),
        "dead units": ("fine", 0.0),
    },
}


def written(name):
    return [json.loads(line) for line in (OLD / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", FOUND)
def test_alarms_say_of_an_old_log_what_they_said_then(name):
    said = {
        finding.phenomenon: (str(finding.severity), next(iter(finding.evidence.values())))
        for finding in run_alarms(read_history(OLD / f"{name}.jsonl"))
    }
    assert said == FOUND[name]


@pytest.mark.parametrize(
    ("name", "reading", "old"),
    [
        ("gan", AUC_TRAIN, "AUC, learned"),
        ("gan", D_VALIDATION, "D, held out"),
        ("gan", FRECHET_RATIO, "distance"),
        ("gan", WEIGHT_NORM.of("generator"), "weights of the generator"),
        ("vae", KL, "KL"),
        ("vae", VALIDATION_LOSS, "held-out loss"),
        ("rbm", AUTOCORRELATION, "left of a chain"),
        ("rbm", CONSTANT_UNITS, "units that never change"),
    ],
)
def test_every_number_of_an_old_log_is_where_it_is_looked_for_today(name, reading, old):
    history = read_history(OLD / f"{name}.jsonl")
    expected = [line["look"][old] for line in written(name) if "look" in line]
    assert history.series(reading)[1].tolist() == expected


def test_players_of_an_old_log_have_their_numbers():
    history, lines = read_history(OLD / "gan.jsonl"), written("gan")
    assert history.players == ["discriminator", "generator"]
    norms = history.series_of("discriminator", GRADIENT_NORM)[1].tolist()
    assert norms == [line["discriminator"]["gradient"] for line in lines]
    losses = history.series_of("generator", LOSS)[1].tolist()
    assert losses == [line["generator"]["loss"] for line in lines]
    traced = [value for line in lines for value in line["trace"]["D(x)"]]
    assert history.trace(D_REAL).tolist() == traced


@pytest.mark.parametrize("name", FOUND)
def test_nothing_of_an_old_line_keeps_its_old_name_and_a_new_line_stays_as_it_is(name):
    for line in written(name):
        new = upgrade_line(line)
        assert not {"look", "spent"} & set(new)
        assert all(isinstance(key, Reading) or key in line["look"] for key in new.get(PROBES, {}))
        assert upgrade_line(new) == new
        flat = [list(v.values()) if isinstance(v, dict) else v for v in line.values()]
        assert flat == [list(v.values()) if isinstance(v, dict) else v for v in new.values()]


def test_a_log_may_be_half_old_and_half_new_and_is_cut_as_it_was_written(tmp_path):
    old = (OLD / "rbm.jsonl").read_text()
    new = {"step": 60, "images": 1, "progress": 1.0, "seconds": 1.0, PROBES: {AUTOCORRELATION: 0.5}}
    path = tmp_path / "log.jsonl"
    path.write_text(old + json.dumps(new) + "\n")
    history = read_history(path)
    assert history.series(AUTOCORRELATION)[1][-1] == 0.5
    assert len(history.series(AUTOCORRELATION)[1]) == 1 + sum(
        "look" in line for line in written("rbm")
    )
    cut_log(Run(tmp_path), 60)
    assert path.read_text() == old


def test_a_log_is_read_as_it_was_written_and_a_torn_line_is_left_out(tmp_path):
    path = tmp_path / "log.jsonl"
    assert read_history(path).steps == 0
    whole = [
        {
            "step": 10 * k,
            "progress": k / 4,
            "model": {LOSS: 1.0 - k},
            PROBES: {AUTOCORRELATION: 0.1},
        }
        for k in range(4)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in whole) + '{"step": 4')
    assert [line for _, line in read_log(path)] == whole
    history = read_history(path)
    assert history.probed == [line[PROBES] for line in whole]
    assert history.series_of("model", LOSS)[0].tolist() == [line["step"] for line in whole]
    assert History(whole).steps == history.steps
    for rubbish in ("rubbish", "[]", "{}", '"text"', "7", '{"step": "1", "progress": 0.1}'):
        path.write_text(rubbish + "\n")
        with pytest.warns(DamagedLog, match=r"line 1 of .* is not of the log of a training"):
            assert read_history(path).steps == 0


def test_what_a_log_does_not_show_is_read_from_old_findings_too(tmp_path):
    entry = {"severity": "failure", "claim": "a claim", "evidence": {"step": 3}, "remedy": "--lr"}
    path = tmp_path / "findings.json"
    for key in ("check", "phenomenon"):
        entries = [{key: "not finite", **entry}, {key: "mode collapse", **entry}]
        path.write_text(json.dumps(entries))
        (finding,) = unlogged_findings(Run(tmp_path))
        assert (finding.phenomenon, finding.evidence) == ("not finite", {"step": 3})
    path.write_text('{"not": "findings"}')
    with pytest.raises(UsageError, match="all of it must be a list, not an object"):
        unlogged_findings(Run(tmp_path))
