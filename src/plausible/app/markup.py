"""Words of tasks as HTML: tables, lists, what is wrong; all of it as plain text, whoever wrote it."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from plausible.core.finding import Finding
from plausible.tasks.watch import Raised

_LINE = 24  # letters that are kept in one line of a table


def paragraph(text: str, kind: str = "") -> str:
    """A sentence or several lines; ``kind`` is a class of the style sheet."""
    return f'<p class="{escape(kind)}">{_lines(text)}</p>' if text else ""


def facts(rows: Mapping[str, str]) -> str:
    """{what: found} as a table without a head."""
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_lines(value)}</td></tr>'
        for name, value in rows.items()
    )
    return f'<table class="facts"><tbody>{body}</tbody></table>' if body else ""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> str:
    """A table that scrolls sideways by itself where the page is narrow, under its title."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td{_short(cell)}>{_lines(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(title or "table")}">'
        f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def sentences(notes: Iterable[str]) -> str:
    """One point each; nothing where there are none."""
    points = "".join(f"<li>{_lines(note)}</li>" for note in notes)
    return f"<ul>{points}</ul>" if points else ""


def steps(following: Iterable[tuple[str, str]]) -> str:
    """(what to try, its command), one point each."""
    points = "".join(
        f"<li>{_lines(what)}{f': <code>{escape(words)}</code>' if words else ''}</li>"
        for what, words in following
    )
    return f"<ul>{points}</ul>" if points else ""


def findings(raised: Iterable[Raised]) -> str:
    """What was found wrong, each with its numbers, where it was raised and what to do."""
    return "".join(
        f'<div class="finding {escape(str(one.finding.severity))}"><strong>'
        f"{escape(f'{one.finding.severity}: {one.finding.phenomenon}')}</strong>"
        f"{paragraph(one.finding.claim)}{paragraph(_evidence(one), 'small')}"
        f"{paragraph(_to_do(one.finding))}</div>"
        for one in raised
    )


def printed(text: str) -> str:
    """What a program printed, as it stands."""
    if not text:
        return ""
    return f'<pre role="region" tabindex="0" aria-label="what the training printed">{escape(text)}</pre>'


def progress(share: float, words: str) -> str:
    """How far something is, as a bar and in words."""
    return (
        f'<progress max="100" value="{100 * share:.0f}" aria-label="share of the budget that is used">'
        f"</progress>{paragraph(words, 'state')}"
    )


def _evidence(raised: Raised) -> str:
    parts = [f"raised at round {raised.step:,}"] * (raised.step is not None)
    parts += [
        f"{what}: {value:.4g}" if isinstance(value, int | float) else f"{what}: {value}"
        for what, value in raised.finding.evidence.items()
        if value is not None and what != "step"
    ]
    return "; ".join(parts)


def _to_do(found: Finding) -> str:
    return f"What to do: {found.remedy}" if found.remedy else ""


def _short(text: str) -> str:
    """What keeps a few words in one line."""
    return ' class="short"' if len(text) <= _LINE else ""


def _lines(text: str) -> str:
    return escape(str(text)).replace("\n", "<br>")
