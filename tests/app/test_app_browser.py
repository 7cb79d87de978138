"""The app in a real browser that reaches no other host: every tab does its work, by keyboard too, at both widths."""

import os
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import plausible
from plausible.data.options import Options

playwright = pytest.importorskip("playwright.sync_api", reason="a browser is driven by playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe judges the page")

from plausible.app.limits import Limits  # noqa: E402
from plausible.app.workplace import Workplace  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 120_000  # milliseconds, on a machine that does much else
TABS = ("Train", "Watch", "Sample", "Walk", "Ask", "Compare")
NAMES = (
    "<img src=x onerror=\"document.title='broken'\">",
    '${document.title="broken"}',
    "{{value}}",
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:gradio"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"there is no browser at {CHROMIUM}"),
]

# What axe finds that is serious and not ours, as {rule: a part of the selector}: nothing in gradio 6.31.  Minor and not
# listed: image-redundant-alt, because a gallery repeats the caption of an image as its alternative.
OF_THE_LIBRARY: dict[str, str] = {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs of a tiny conditional gan, naive Bayes, an rbm, and a mixture whose classes are called like markup."""
    root = tmp_path_factory.mktemp("browser")
    generator = np.random.default_rng(0)
    rows = [
        ",".join([f"{x:.3f}" for x in generator.normal(3 * k, 1, 2)] + ['"' + NAMES[k].replace('"', '""') + '"'])
        for k in [0, 1, 2] * 40
    ]  # fmt: skip
    (root / "hostile.csv").write_text("\n".join(['"<b>a</b>",b,label', *rows]))
    runs, fit = root / "runs", plausible.fit
    fit("mixture", root / "hostile.csv", components=1, per_class=True, out=runs / "mixture")
    fit("rbm", "digits", steps=2, hidden=8, options=Options(binarise="threshold"), watch=False, out=runs / "rbm")  # fmt: skip
    fit("naive-bayes", "digits", out=runs / "bayes")
    fit("gan", "digits", steps=2, width=4, latent=4, conditional=True, watch=False, out=runs / "gan")  # fmt: skip
    return runs


@pytest.fixture(scope="module")
def address(folder):
    """The page, served until the last test has ended."""
    from plausible.app.server import served  # here, because gradio takes two seconds

    work = Workplace(folder, "gan", limits=Limits(max_upload=1))
    with served(work) as place:
        yield place
    for name in work.trainings.going_on():
        work.trainings.stop(name)


@pytest.fixture(scope="module")
def browser():
    """A browser that finds no other host, and keeps the scripts of the page, which are megabytes, from visit to visit."""
    alone = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=alone)
        yield chromium.new_context()
        chromium.close()


@contextmanager
def visiting(browser, address):
    """visit(width, scheme) opens the page; at the end nothing was asked of others, and no error told to the console."""
    wrong, opened = [], []

    def asked(request):
        if not request.url.startswith((address, "data:", "blob:")):
            wrong.append(f"asked for {request.url}")

    def visit(width=1400, scheme="light"):
        page = browser.new_page()
        opened.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.set_default_timeout(PATIENCE)
        page.on("request", asked)
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        playwright.expect(page.locator("#draw")).to_be_attached(timeout=PATIENCE)
        assert page.locator("#run input").input_value() == "gan"
        return page

    yield visit
    for page in opened:
        page.close()
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def visit(browser, address):
    with visiting(browser, address) as visit:
        yield visit


@pytest.fixture(scope="module")
def page(browser, address):
    """One visit for all tests that begin with the choice of a run."""
    with visiting(browser, address) as visit:
        yield visit()


def choose(page, run):
    """Another run, by the list of runs."""
    page.locator("#run input").click()
    page.get_by_role("option", name=run, exact=True).click()


def to(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def shown(page, place):
    """Wait for a picture."""
    playwright.expect(page.locator(f"{place} img")).to_be_visible(timeout=PATIENCE)


def serious(page, seconds=10):
    """What axe goes on finding serious: what is still fading in has too little contrast."""
    end = time.time() + seconds
    while (found := serious_now(page)) and time.time() < end:
        time.sleep(0.3)
    return found


def serious_now(page):
    """What axe finds serious, but for what is the library's own: rule and selectors."""
    return [
        (found["id"], node["target"])
        for found in axe.Axe().run(page).response["violations"]
        for node in found["nodes"]
        if found["impact"] in ("serious", "critical")
        and OF_THE_LIBRARY.get(found["id"], "\0") not in str(node["target"])
    ]


def focused(page):
    return page.evaluate("[document.activeElement.id, document.activeElement.innerText]")


def tab_to(page, wanted, most=80):
    """Press Tab until the element of this id, or with these words, has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted in focused(page):
            return
    raise AssertionError(f"the keyboard does not reach {wanted}")


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_every_tab_fits_and_has_nothing_that_axe_finds_serious(visit, width, scheme):
    page = visit(width, scheme)
    page.locator("#draw").click()
    shown(page, "#drawn")
    assert not serious(page)
    to(page, "Train")
    page.locator("#look").click()
    shown(page, "#items")
    playwright.expect(page.locator("#family")).to_be_visible()
    assert not serious(page)
    to(page, "Walk")
    page.locator("#find").click()
    shown(page, "#here")
    for name in ("Walk", "Watch", "Ask", "Compare"):
        to(page, name)
        assert not serious(page)
    for name in TABS:
        to(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_the_keyboard_alone_reaches_the_samples_and_moves_through_z(visit):
    page = visit()
    tab_to(page, "draw")
    page.keyboard.press("Enter")
    shown(page, "#drawn")
    page.locator("#run input").focus()
    tab_to(page, "Walk")
    page.keyboard.press("Enter")
    tab_to(page, "find")
    page.keyboard.press("Enter")
    shown(page, "#here")
    before = page.locator("#here img").get_attribute("src")
    slider = page.locator("#direction-1 input[type=range]")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) == 2
    playwright.expect(page.locator("#here img")).not_to_have_attribute(
        "src", before, timeout=PATIENCE
    )
    page.locator("#picks").get_by_role("button", name="Thumbnail 5 of 16").press("Enter")
    playwright.expect(page.locator("#last input[type=range]")).to_have_value("5", timeout=PATIENCE)
    playwright.expect(page.locator("#first input[type=range]")).to_have_value("2")
    page.locator("#between").press("Enter")
    shown(page, "#way")


def test_a_training_is_begun_watched_stopped_and_gone_on_with(visit, folder):
    page = visit()
    to(page, "Train")
    page.locator("#source input").fill("ring")
    page.keyboard.press("Enter")
    page.locator("#look").click()
    page.get_by_label("gan: a generator learns against a discriminator").check(timeout=PATIENCE)
    page.locator("#budget").get_by_label("so many rounds").check()
    page.locator("#amount input").fill("100000")
    page.locator("#name").locator("input, textarea").fill("begun")
    page.locator("#start").click()
    progress = playwright.expect(page.locator("#progress"))
    progress.to_contain_text("gan of ring: round", timeout=PATIENCE)
    assert page.locator("#run input").input_value() == "begun"
    page.locator("#stop").click()
    progress.to_contain_text("stopped at", timeout=PATIENCE)
    assert (folder / "begun" / "state.pt").exists()
    page.get_by_role("button", name="Go on with it").click()
    page.locator("#resume").click()
    playwright.expect(page.locator("#stop")).to_be_visible(timeout=PATIENCE)
    page.locator("#stop").click()
    progress.to_contain_text("stopped at", timeout=PATIENCE)


def test_only_what_a_model_can_do_is_shown(page):
    choose(page, "bayes")
    to(page, "Sample")
    playwright.expect(page.locator("#draw")).to_be_visible(timeout=PATIENCE)
    playwright.expect(page.locator("#truncated")).to_be_hidden(timeout=PATIENCE)
    playwright.expect(page.locator("#class")).to_be_visible()
    to(page, "Walk")
    playwright.expect(page.get_by_text("neither a latent z nor a Markov chain")).to_be_visible()
    playwright.expect(page.locator("#find")).to_be_hidden()
    to(page, "Ask")
    playwright.expect(page.locator("#ask")).to_be_visible()
    for other in ("#back", "#complete", "#surprise"):
        playwright.expect(page.locator(other)).to_be_hidden()
    choose(page, "rbm")
    to(page, "Walk")
    steps = page.get_by_label("number input for Steps", exact=True).locator("visible=true")
    steps.fill("3")  # each is a picture of the film
    steps.press("Enter")
    page.locator("#chain").click()
    shown(page, "#film")


def test_an_item_and_a_drawing_by_keyboard_are_answered(page):
    choose(page, "bayes")
    to(page, "Ask")
    page.locator("#ask").click()
    playwright.expect(page.locator("#answers")).to_contain_text("heldout:0", timeout=PATIENCE)
    page.get_by_label("a drawing").check()
    page.locator("#pad canvas").focus()
    page.keyboard.press(" ")
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    page.locator("#ask").click()
    playwright.expect(page.locator("#answers")).to_contain_text("drawing 1", timeout=PATIENCE)
    page.get_by_label("a file").check()
    page.locator("#ask").click()
    playwright.expect(page.get_by_text("Hand over a file first")).to_be_visible(timeout=PATIENCE)


def test_names_that_are_markup_stay_words(page):
    choose(page, "mixture")
    to(page, "Sample")
    playwright.expect(page.locator("#class")).to_be_visible(timeout=PATIENCE)
    playwright.expect(page.locator("#truncated")).to_be_hidden()
    to(page, "Ask")
    page.locator("#ask").click()
    playwright.expect(page.locator("#answers td").nth(3)).to_contain_text(
        NAMES[1], timeout=PATIENCE
    )
    for name in NAMES:
        playwright.expect(page.locator("#answers")).to_contain_text(name)
    assert page.title() == "plausible"


def status(request):
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except (
        urllib.error.URLError
    ) as broken:  # it was refused, and the door closed, before all of it was sent
        if isinstance(broken.reason, BrokenPipeError | ConnectionResetError):
            return 413
        raise


@pytest.mark.parametrize(
    ("path", "headers", "content", "code"),
    [
        ("", {}, None, 200),
        ("", {"Host": "elsewhere.example"}, None, 400),
        ("gradio_api/queue/join", {"Origin": "http://elsewhere.example"}, b"{}", 403),
        ("gradio_api/upload", {}, bytes(2**20 + 1), 413),
        ("gradio_api/file=/etc/hostname", {}, None, 403),
        ("gradio_api/file=https://elsewhere.example/a", {}, None, 403),
        ("gradio_api/file=HTTPS://elsewhere.example/a", {}, None, 403),
        ("gradio_api/file=runs/gan/config.json", {}, None, 403),
        ("monitoring", {}, None, 403),
    ],
)
def test_what_reaches_the_server(address, path, headers, content, code):
    request = urllib.request.Request(address + path, content, headers)
    assert status(request) == code


def test_what_the_page_kept_is_gone_when_it_ends(tmp_path):
    from plausible.app.server import served

    before = os.environ.get("GRADIO_TEMP_DIR")
    with served(Workplace(tmp_path)) as place:
        kept = Path(os.environ["GRADIO_TEMP_DIR"])
        assert kept.is_dir()
        assert status(urllib.request.Request(place)) == 200
    assert not kept.exists()
    assert os.environ.get("GRADIO_TEMP_DIR") == before
    time.sleep(0.1)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(place, timeout=10)
