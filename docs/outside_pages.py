"""Pages of the site that lie outside docs/, and links that lead to them: hooks of mkdocs, named in mkdocs.yml.

README.md and others stay where a reader of the repository looks for them.  Here each becomes a page, and a
relative link, written for the repository, leads to the page or file that it means.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = {
    "README.md": "overview.md",
    "README.ko.md": "ko.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "examples/ci.md": "recipes/ci.md",
}
SOURCES = {page: source for source, page in PAGES.items()}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")  # the path in [words](path#heading)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages of docs/ and those outside."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page whose links lead to pages; another file of the repository that it links to comes along."""
    uri = page.file.src_uri
    source = SOURCES.get(uri, f"docs/{uri}")

    def led(match: re.Match[str]) -> str:
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[1]))
        if not (ROOT / place).is_file():
            return match[1]
        target = PAGES.get(place, place.removeprefix("docs/"))
        if files.get_file_from_path(target) is None:
            files.append(File.generated(config, target, abs_src_path=str(ROOT / place)))
        return posixpath.relpath(target, posixpath.dirname(uri) or ".")

    return LINK.sub(led, markdown)
