"""What a page holds, read as a browser would: elements with their attributes and texts."""

from html.parser import HTMLParser

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
