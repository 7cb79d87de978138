"""Figures have here the layout that people see."""

import pytest
from matplotlib.layout_engine import ConstrainedLayoutEngine

EXECUTE = ConstrainedLayoutEngine.execute


@pytest.fixture(autouse=True)
def _layout(monkeypatch):
    """Elsewhere none is looked for, see ../conftest.py."""
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", EXECUTE)
