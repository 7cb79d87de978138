"""Every number of the docs that quotes a result is what its file holds, and its Python names what there is."""

import re
from importlib.util import find_spec

import pytest
from docs.quoted_fooled import FOOLED
from docs.quoted_sentences import SENTENCES, corrected, pattern
from docs.quoted_tables import tables
from docs.tables import MARKED, PAGES, ROOT, differences, filled

import plausible
from plausible.core.model import models

TEXT = {page: (ROOT / page).read_text() for page in PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_the_results_hold(page):
    wrong = differences(page, TEXT[page], filled(page, TEXT[page]))
    assert not wrong, "\n".join([*wrong, "make docs-tables writes them"])


def test_every_table_stands_on_a_page():
    marked = [match.groups()[1:3] for text in TEXT.values() for match in MARKED.finditer(text)]
    assert {name if kind == "table" else f"{kind}_{name}" for kind, name in marked} == set(tables)


@pytest.mark.parametrize("page", PAGES)
def test_no_table_of_numbers_is_written_by_hand(page):
    for line in MARKED.sub("", TEXT[page]).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        numbers = [cell for cell in cells if re.match(r"[≤≥≈]?-?[\d.,]+( ±|%|$)", cell)]
        assert not line.startswith("|") or len(numbers) < 3, line


@pytest.mark.parametrize("name", sorted(tables))
def test_a_wrong_number_in_a_table_is_seen(name):
    page, text = next(
        item for item in TEXT.items() if f":{name.removeprefix('presets_')} -->" in item[1]
    )
    start = text.index(f":{name.removeprefix('presets_')} -->")
    end = text.index("<!-- /", start)
    digit = max(i for i in range(start, end) if text[i].isdigit())
    planted = text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :]
    assert differences(page, planted, filled(page, planted))


def test_a_wrong_number_in_a_sentence_is_seen():
    for sentence in SENTENCES:
        for page in sentence.pages:
            (match,) = pattern(sentence).finditer(TEXT[page])
            planted = TEXT[page][: match.start(2)] + "7.77" + TEXT[page][match.end(2) :]
            assert filled(page, planted) == TEXT[page]


def test_a_sentence_that_is_gone_is_said():
    sentence = SENTENCES[0]
    with pytest.raises(LookupError, match=r"a.md says 0 times: '.* times"):
        corrected(sentence, "Nothing of the kind.", "a.md")
    with pytest.raises(LookupError, match=r"a.md says 2 times"):
        corrected(sentence, 2 * sentence.words.format(*sentence.numbers), "a.md")


def test_every_family_is_in_the_table_of_what_fools_it():
    assert set(models) | {"distance"} == {each.family for each in FOOLED}
    assert "not measured" not in tables["who_is_fooled"]().split("`naive-bayes`")[1].split("\n")[0]


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page_compiles_and_names_what_there_is(page):
    for code in re.findall(r"^```python\n(.*?)^```", TEXT[page], re.DOTALL | re.MULTILINE):
        compile(code, page, "exec")
        for name in re.findall(r"\bplausible\.(\w+)", code):
            assert hasattr(plausible, name) or find_spec(f"plausible.{name}"), name
