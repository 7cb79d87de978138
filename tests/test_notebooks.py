"""The notebooks of examples/ run from their first cell to their last, and show what their words promise."""

import ast
import inspect
import os
import re
from functools import reduce
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from IPython.utils.capture import capture_output
from tests.conftest import environment

import plausible
from plausible import figures

ROOT = Path(__file__).parent.parent
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "examples").glob("*.ipynb"))}


def read(name):
    return nbformat.read(NOTEBOOKS[name], as_version=4)


def shortened(notebook, times=3):
    """The same with a third of the rounds of training that a line ``STEPS = ...`` says."""
    for cell in notebook.cells:
        cell.source = re.sub(
            r"^STEPS = .*$",
            lambda line: re.sub(r"\b\d+\b", lambda n: str(int(n[0]) // times), line[0]),
            cell.source,
            flags=re.MULTILINE,
        )
    return notebook


@pytest.fixture
def run(tmp_path):
    """f(name) -> everything that the cells of a notebook show, run by a kernel in an empty folder."""

    def execute(name):
        notebook = shortened(read(name))
        from nbclient import NotebookClient

        places = [ROOT / "src", ROOT, *os.environ.get("PYTHONPATH", "").split(":")]
        where = os.pathsep.join(map(str, places))
        client = NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}})
        client.execute(env={**environment(), "PYTHONPATH": where})
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
        assert sum("image/png" in output.get("data", {}) for output in outputs) > 0
        shown = [
            output.get("text", "") + output.get("data", {}).get("text/html", "")
            for output in outputs
        ]
        return "\n".join(shown)

    return execute


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """IPython without a kernel, which would load torch once more, in an empty folder."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.pylabtools import select_figure_formats
    from traitlets.config import Config

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    # ``%matplotlib inline`` without the settings of matplotlib that it leaves behind
    shell.enable_matplotlib = lambda gui: select_figure_formats(shell, {"png"}) or (gui, "inline")
    yield shell
    InteractiveShell.clear_instance()


def number(text, before):
    """The number behind these words."""
    return float(re.search(re.escape(before) + r"\s*(-?[\d.,]+\d)", text)[1].replace(",", ""))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_kept_without_outputs_and_explains_every_cell(name):
    cells = read(name).cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    for before, cell in pairwise(cells):
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
            assert before.cell_type == "markdown"
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\((?!http)([^)]+)\)", words):
        assert (ROOT / "examples" / link).exists()


def calls(name):
    """(what is called, positional arguments, names of the others) of every call of plausible in a notebook."""
    sources = [cell.source for cell in read(name).cells if cell.cell_type == "code"]
    code = "\n".join(sources).replace("%matplotlib inline", "")
    known = {"plausible": plausible, "figures": figures}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("plausible"):
            module = import_module(node.module)
            known |= {each.asname or each.name: getattr(module, each.name) for each in node.names}
    for node in ast.walk(ast.parse(code)):
        words = ast.unparse(node.func).split(".") if isinstance(node, ast.Call) else [""]
        if words[0] in known:
            called = reduce(getattr, words[1:], known[words[0]])
            yield called, node.args, [each.arg for each in node.keywords]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_a_notebook_calls_is_there_and_takes_what_it_is_given(name):
    found = list(calls(name))
    assert len(found) >= 10
    for called, given, named in found:
        if None in named or any(isinstance(each, ast.Starred) for each in given):
            continue  # choices that only the run knows
        if not inspect.isbuiltin(called):
            inspect.signature(called).bind(*given, **dict.fromkeys(named))


def test_the_theory_has_twenty_cells():
    assert len(read("theory").cells) == 20


@pytest.mark.scheduled
def test_the_theory_holds(run):
    shown = run("theory")
    assert number(shown, "between the moons: max p(y | x) =") < 0.9
    assert number(shown, "far away: max p(y | x) =") > 0.99
    assert number(shown, "Bayes' rule:") > number(shown, "softmax regression:") + 5
    mean, expected = (number(shown, words) for words in ("draws from p:", "KL(p || q):"))
    assert abs(mean - expected) < 0.05
    assert "sum over all images: 1.000000" in shown
    bounds = [float(nats) for nats in re.findall(r"draws of z: LogProb ≥ (-[\d.]+)", shown)]
    truth = number(shown, "the data themselves: LogProb =")
    assert bounds[0] < bounds[2] < bounds[-1] + 0.05 < truth + 0.05
    assert abs(number(shown, "D has reached:") - number(shown, "2 JSD(p, q):")) < 0.03
    collapsed, spread = (
        [int(count) for count in counts.split(", ")]
        for counts in re.findall(r"of 1,000 samples \[([\d, ]+)\]", shown)
    )
    assert max(collapsed) > 10 * sorted(collapsed)[-2]
    assert max(spread) < 10 * min(spread)
    assert re.search(r"their negatives</td>.*?>100%<", shown)


@pytest.mark.slow
def test_a_first_generator_is_trained_judged_and_draws_into_a_folder(shell, tmp_path):
    texts, pictures = [], 0
    for cell in shortened(read("first_generator"), 10).cells:
        if cell.cell_type == "code":
            with capture_output() as said:
                done = shell.run_cell(cell.source)
            done.raise_error()
            kinds, _ = shell.display_formatter.format(done.result)
            shown = [kinds, *[each.data for each in said.outputs]]
            pictures += sum("image/png" in each for each in shown)
            texts += [said.stdout, *[each.get("text/html", "") for each in shown]]
    shown = "\n".join(texts)
    assert pictures == 4
    assert "L: 186, O: 212, T: 202" in shown
    assert "gan of letters, finished" in shown
    assert re.search(r"Verdict (FAIL|INCONCLUSIVE) \(", shown)
    assert "next: " in shown
    assert len(list((tmp_path / "new-letters" / "T").glob("*.png"))) == 24


@pytest.mark.scheduled
def test_families_are_compared_and_unlike_likelihoods_keep_their_sign(run):
    shown = run("compare_families")
    assert all(f">{sign} -" in shown for sign in "=≥≈")
    assert "has none" in shown
    assert "gan: Verdict FAIL" in shown
    assert "A is better in" in shown
