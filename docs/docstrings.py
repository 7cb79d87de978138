"""Docstrings as Markdown, for the pages of docs/reference: an extension of griffe, named in mkdocs.yml.

A docstring here is written to be read in an editor: arguments stand in columns, examples behind >>>, and < is less
than.  Markdown would run the columns together, quote the examples, and take x_<i for a tag.
"""

import re
from collections.abc import Iterator

from griffe import Extension, Object

COLUMN = re.compile(r"(?P<names>[*`\w][*`\w, ]*?)(?:  +)(?P<words>\S.*)")  # name  what it is
CODE = re.compile(r"(``.*?``|`[^`]*`)")
SPECIAL = re.compile(r"<(?=[A-Za-z/!])|\*(?=\w+\b(?!\*))|(?<=\w)\[")


class MarkdownDocstrings(Extension):
    """Every docstring that a page shows, rewritten once."""

    def on_instance(self, *, obj: Object, **kwargs: object) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """A docstring with a list in the place of columns, fences around examples, and < and * that mean themselves."""
    return "\n\n".join("\n".join(_paragraph(part.splitlines())) for part in text.split("\n\n"))


def _paragraph(lines: list[str]) -> Iterator[str]:
    """The lines of a paragraph; one that is indented as a whole is a formula or code, and stays."""
    if lines and all(line.startswith("    ") for line in lines):
        yield from lines
        return
    example = next((i for i, line in enumerate(lines) if line.startswith(">>>")), len(lines))
    yield from _listed(lines[:example])
    if lines[example:]:
        yield from ("", "```pycon", *lines[example:], "```")


def _listed(lines: list[str]) -> Iterator[str]:
    """Lines with an item for each name in a column, and what is below the words of a column behind it."""
    inside = False
    for line in lines:
        found = COLUMN.fullmatch(line)
        if found:
            yield from () if inside else ("",)
            names = found["names"].replace("`", "")
            yield f"* `{names}`: {_plain(found['words'])}"
        elif inside and line.startswith("  "):
            yield f"    {_plain(line.strip())}"
        else:
            yield from ("",) if inside else ()
            yield _plain(line)
        inside = bool(found) or (inside and line.startswith("  "))


def _plain(line: str) -> str:
    """A line whose < and * outside of code are no Markdown."""
    parts = CODE.split(line)
    parts[::2] = [SPECIAL.sub(_escaped, part) for part in parts[::2]]
    return "".join(parts)


def _escaped(match: re.Match[str]) -> str:
    return "&lt;" if match[0] == "<" else f"\\{match[0]}"
