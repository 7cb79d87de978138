"""The documentation is built strictly into a site that asks no other host, and whose every link leads somewhere."""

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from filelock import FileLock

import plausible

ROOT = Path(__file__).parent.parent
CHROMIUM = Path("/usr/bin/chromium")
NEEDED = [name for name in ("mkdocs", "material", "mkdocstrings") if find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(NEEDED), reason=f"{', '.join(NEEDED)} is not installed: pip install -e '.[docs]'"
    ),
]


class Page(HTMLParser):
    """What a page fetches by itself, where its links lead, and the names that links may lead to."""

    def __init__(self, path: Path):
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a":
            self.links += [given["href"]] if "href" in given else []
            return
        found = [
            given[name] for name in ("src", "srcset", "href", "data", "poster") if name in given
        ]
        self.fetched += found + re.findall(r"url\(([^)]*)\)", given.get("style", ""))


def build(root: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(out)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=root, env=env, text=True, capture_output=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Built once, also where several workers ask for it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    out, done = root / "site", root / "site-is-built"
    with FileLock(root / "site.lock"):
        if not done.exists():
            built = build(ROOT, out)
            assert built.returncode == 0, built.stderr[-3000:]
            done.touch()
    return out


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def elsewhere(url: str) -> bool:
    """Whether a URL is of another host."""
    parts = urlsplit(url.strip("\"' "))
    return parts.scheme not in ("", "data") or bool(parts.netloc)


def test_every_page_is_reached_from_the_navigation(site):
    named = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    written = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert written <= set(re.findall(r"\S+\.md", named))


def test_no_page_and_no_style_fetches_anything_from_another_host(site, pages):
    fetched = {(path, url) for path, page in pages.items() for url in page.fetched}
    for path in site.rglob("*.css"):
        text = path.read_text("utf-8")
        found = re.findall(r"url\(([^)]*)\)|@import\s+[\"']([^\"']*)", text)
        fetched |= {(path, url) for pair in found for url in pair if url}
    assert len(fetched) > 100
    assert not [(path.name, url) for path, url in fetched if elsewhere(url)]


@pytest.mark.parametrize(
    "tag",
    [
        '<link rel="stylesheet" href="https://fonts.example/a.css">',
        '<script src="//cdn.example/a.js"></script>',
        '<img src="http://pictures.example/a.png">',
        '<p style="background: url(https://pictures.example/a.png)">',
        '<iframe src="https://films.example/a"></iframe>',
    ],
)
def test_what_another_host_would_be_asked_for_is_seen(tag, tmp_path):
    (tmp_path / "a.html").write_text(f'<a href="https://papers.example">a</a>{tag}', "utf-8")
    assert [elsewhere(url) for url in Page(tmp_path / "a.html").fetched] == [True]


def test_every_link_leads_to_a_page_and_to_a_heading_of_it(site, pages):
    broken = []
    for path, page in pages.items():
        for url in (*page.links, *page.fetched):
            parts = urlsplit(url)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue  # 404.html is shown at any address
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            name = unquote(parts.fragment)
            if not to.is_file():
                broken.append((path.name, url, "no such file"))
            elif name and to in pages and name not in pages[to].names:
                broken.append((path.name, url, "no such heading"))
    assert not broken
    assert sum(len(page.links) for page in pages.values()) > 1000


def test_every_public_name_is_in_the_reference(pages):
    shown = {name for page in pages.values() for name in page.names}
    assert not [name for name in plausible.__all__ if f"plausible.{name}" not in shown]


def test_a_docstring_becomes_a_list_a_fence_and_words():
    from docs.docstrings import as_markdown

    shown = as_markdown(
        "p(x_<i), as (N, *shape).\n\nx, y  what it is,\n      and more\n``n``  how many\nReturns ``a < b``.\n\n>>> 1\n1"
    )
    assert shown == (
        "p(x_&lt;i), as (N, \\*shape).\n\n\n* `x, y`: what it is,\n    and more\n* `n`: how many\n\nReturns ``a < b``."
        "\n\n\n```pycon\n>>> 1\n1\n```"
    )


def test_links_written_for_the_repository_lead_to_pages_of_the_site():
    from docs.outside_pages import PAGES
    from mkdocs.config import load_config
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page as PageOfMkdocs

    config = load_config(str(ROOT / "mkdocs.yml"))
    files = config.plugins.on_files(Files([]), config=config)
    assert {file.src_uri for file in files} == {*PAGES.values()}
    page = PageOfMkdocs(None, files.get_file_from_path("recipes/ci.md"), config)
    written = "[a](../README.md#b) [c](../docs/gan.md) [d](../LICENSE) [e](none.md) [f](https://g.example)"
    shown = config.plugins.on_page_markdown(written, page=page, config=config, files=files)
    assert shown == (
        "[a](../overview.md#b) [c](../gan.md) [d](../LICENSE) [e](none.md) [f](https://g.example)"
    )
    assert files.get_file_from_path("LICENSE").content_string.startswith("MIT License")


def test_what_is_no_page_stays_out(site):
    assert not [path for path in site.rglob("*") if path.suffix in (".py", ".md", ".pyc")]


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# A\n\n[b](b.md)\n", "utf-8")
    text = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[0]
    text = re.sub(r"^(hooks|extra_css|watch):.*\n", "", text, flags=re.MULTILINE)
    (tmp_path / "mkdocs.yml").write_text(text, "utf-8")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "b.md" in done.stderr


@pytest.fixture(scope="module")
def address(site) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to show it with")
def test_a_browser_finds_what_is_searched_and_asks_no_other_host(address):
    playwright = pytest.importorskip("playwright.sync_api")
    asked, errors = [], []

    def local_only(route):
        asked.append(route.request.url)
        route.continue_() if route.request.url.startswith(address) else route.abort()

    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.route("**/*", local_only)
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        for name in ("index.html", "gan.html", "reference/models.html"):
            page.goto(address + name)
            wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not page.evaluate(wide), name
        page.set_viewport_size({"width": 1400, "height": 900})
        page.keyboard.press("s")  # the search, by keyboard alone
        page.keyboard.type("mode collapse")
        found = page.locator(".md-search-result__link").first
        found.wait_for(timeout=20_000)
        assert found.get_attribute("href")
        browser.close()
    assert not errors
    assert not [url for url in asked if not url.startswith(address)]
