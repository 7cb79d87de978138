"""The pages in a real browser: nothing is asked of anybody, nobody is left out, and it fits on a telephone."""

import shutil
from functools import cache

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]
LOCAL = ("file:", "data:")


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def opened(browser, page):
    """Opens the page of a run, or another, in a window; whatever it asks of elsewhere, or complains of, fails the test."""
    wrong, contexts = [], []

    def answer(route):
        if route.request.url.startswith(LOCAL):
            return route.continue_()
        wrong.append(route.request.url)
        return route.abort()

    def open_in(width=1400, scheme="light", of=page, **more):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **more
        )
        contexts.append(context)
        context.route("**/*", answer)
        window = context.new_page()
        window.on("console", lambda message: wrong.append(message.text))
        window.on("pageerror", lambda error: wrong.append(str(error)))
        window.goto(of.as_uri())
        return window

    yield open_in
    for context in contexts:
        context.close()
    assert not wrong, wrong


@cache
def axe():
    return pytest.importorskip("axe_playwright_python.sync_playwright").Axe()


@pytest.mark.parametrize("which", ["page", "comparison_page"])
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1400, "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    request, opened, width, scheme, which
):
    window = opened(width, scheme, request.getfixturevalue(which))
    found = axe().run(window).response["violations"]
    assert not found, [(each["id"], each["nodes"][0]["html"][:200]) for each in found]
    root = "document.documentElement"
    assert window.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
    sizes = window.evaluate("[...document.images].map(image => image.naturalWidth * image.width)")
    assert min(sizes) > 0
    widest = window.evaluate(
        "Math.max(...[...document.querySelectorAll('main img, main svg')].filter(each => !each.closest('.scroll'))"
        ".map(each => each.getBoundingClientRect().right))"
    )
    assert widest <= width


def test_figures_have_the_colours_of_the_page_and_letters_that_can_be_read(opened):
    inks = {}
    for scheme in ("light", "dark"):
        window = opened(390, scheme)
        style = "getComputedStyle(document.querySelector('svg text')).fill"
        inks[scheme] = window.evaluate(style)
        smallest = window.evaluate(
            "Math.min(...[...document.querySelectorAll('svg text')]"
            ".map(text => text.getBoundingClientRect().height))"
        )
        assert smallest > 8
    assert len(set(inks.values())) == 2


def test_wide_pictures_and_tables_of_a_comparison_scroll_in_their_own_box(opened, comparison_page):
    window = opened(390, of=comparison_page)
    picture = "document.querySelector('#pictures img')"
    assert window.evaluate(f"{picture}.getBoundingClientRect().width") >= 900
    for place in ("pictures", "numbers", "defects"):
        box = window.locator(f"#{place} .scroll")
        box.focus()
        window.keyboard.press("ArrowRight")
        window.wait_for_timeout(300)  # it scrolls smoothly
        assert window.evaluate(f"document.querySelector('#{place} .scroll').scrollLeft") > 0, place
    first = window.locator("#defects tbody th").first
    assert first.bounding_box()["x"] >= 0  # the defect stays in sight


def test_the_keyboard_alone_suffices(opened):
    window = opened()
    window.keyboard.press("Tab")
    assert window.evaluate("document.activeElement.className") == "skip"
    window.keyboard.press("Enter")
    window.wait_for_url("**#main")
    summary = window.locator("summary", has_text="The whole configuration")
    summary.focus()
    table = window.locator("caption", has_text="Every choice, by the flag that makes it")
    assert not table.is_visible()
    window.keyboard.press("Enter")
    table.wait_for(state="visible")


def test_nothing_moves_for_who_wants_no_motion(opened):
    source = "document.querySelector('.film img').currentSrc.slice(0, 14)"
    assert opened().evaluate(source) == "data:image/gif"
    assert opened(reduced_motion="reduce").evaluate(source) == "data:image/png"


def test_it_prints_in_ink_on_white_without_what_is_only_for_a_screen(opened):
    window = opened(718, "dark")
    window.emulate_media(media="print", color_scheme="dark")
    body = window.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = window.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert (body, ink) == ("rgb(255, 255, 255)", "rgb(27, 31, 36)")
    assert not window.locator("nav").is_visible()
    assert window.locator("caption", has_text="Every choice").is_visible()
    assert window.pdf(format="A4")[:5] == b"%PDF-"
