"""The tables of README.md and docs/*.md, each from the file that holds its numbers; so are numbers in sentences.

A table stands between <!-- table:NAME --> and <!-- /table -->, where NAME is a function of quoted_tables.py that
writes it, and the presets of a family between <!-- presets:NAME --> and <!-- /presets -->; quoted_sentences.py
lists the sentences.  ``make docs-tables`` (python -m docs.tables) writes both anew, and ``make docs-tables
CHECK=1`` (--check), which tests/test_docs.py runs too, says what is not as its file has it.
"""

import argparse
import re
import sys
from pathlib import Path

from docs import (  # noqa: F401  # register their tables
    quoted_classification,
    quoted_colour,
    quoted_cost,
    quoted_diffusion,
    quoted_documents,
    quoted_field,
    quoted_flow,
    quoted_fooled,
    quoted_models,
    quoted_referee,
    quoted_refine,
    quoted_reliability,
    quoted_speed,
)
from docs.quoted_sentences import SENTENCES, corrected
from docs.quoted_tables import tables

ROOT = Path(__file__).parent.parent
OF_CLAIMS = ROOT / "docs" / "claims"  # written by plausible claims --out, tables and all
PAGES = (
    *("README.md", "README.ko.md"),
    *(
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if OF_CLAIMS not in path.parents
    ),
)
MARKED = re.compile(r"(<!-- (table|presets):(\w+) -->\n).*?(<!-- /\2(?::\3)? -->)", re.DOTALL)


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--check", action="store_true", help="change nothing, exit code 1 if needed")
    asked = flags.parse_args()
    wrong = []
    for page in PAGES:
        path = ROOT / page
        before = path.read_text()
        try:
            after = filled(page, before)
        except LookupError as error:
            sys.exit(f"{error.args[0]}: docs/quoted_sentences.py has its words")
        wrong += differences(page, before, after)
        if not asked.check and after != before:
            path.write_text(after)
    print("\n".join(wrong) or "every number is as its file has it")
    sys.exit(bool(asked.check and wrong))


def filled(page: str, text: str) -> str:
    """A page with the tables and numbers that the result files hold."""
    text = MARKED.sub(lambda match: f"{match[1]}\n{_table(match[2], match[3])}\n{match[4]}", text)
    for sentence in SENTENCES:
        if page in sentence.pages:
            text = corrected(sentence, text, page)
    return text


def _table(kind: str, name: str) -> str:
    return tables[name if kind == "table" else f"{kind}_{name}"]()


def differences(page: str, before: str, after: str) -> list[str]:
    """The lines that are not as they should be, beside those that should stand there."""
    old, new = before.splitlines(), after.splitlines()
    return [
        *(f"{page}: {line!r} is not what its file has" for line in old if line not in new),
        *(f"{page}: {line!r} is" for line in new if line not in old),
    ]


if __name__ == "__main__":
    main()
