"""What a task returned, as one self-contained HTML page."""

from plausible.pages.document import document, save_page

__all__ = ["document", "save_page"]
