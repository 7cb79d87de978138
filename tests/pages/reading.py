"""What a page holds, read as a browser would: elements with their attributes and texts."""

import re
from html.parser import HTMLParser
from itertools import pairwise

VOID = ("img", "meta", "link", "source", "br", "hr", "use", "path")


class Page(HTMLParser):
    """elements  (tag, attributes, text directly or indirectly in it), in the order of the page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        element = [tag, dict(attributes), ""]
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.elements.append([tag, dict(attributes), ""])

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for element in self._open:
            element[2] += data

    def all(self, *tags):
        """The elements of these names."""
        return [element for element in self.elements if element[0] in tags]

    def text(self, tag):
        """The texts of all elements of a name, their space made one."""
        return [" ".join(words.split()) for _, _, words in self.all(tag)]


def asks_for_nothing(text):
    """Asserts that nothing of a page is anywhere else, and that it runs nothing."""
    page = Page(text)
    assert not page.all("script", "i", "iframe")
    asked = [
        value
        for _, attributes, _ in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data", "xlink:href")
    ]
    assert asked
    assert {value[:5] for value in asked if not value.startswith("#")} == {"data:"}
    assert not re.findall(r"@import|url\((?!#)", text)
    assert "http://" not in text
    assert "https://" not in text


def is_built_for_everybody(page):
    """Asserts that who cannot see a page finds the way through it, and has words for every picture."""
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert page.all("html")[0][1]["lang"] == "en"
    assert all(len(attributes["alt"]) > 20 for _, attributes, _ in page.all("img"))
    assert all(len(attributes["aria-label"]) > 20 for _, attributes, _ in page.all("svg"))
    assert all("scope" in attributes for _, attributes, _ in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for _, attributes, _ in page.all("a", "use")}
    assert targets <= set(ids)
    assert page.all("a")[0][1]["class"] == "skip"
