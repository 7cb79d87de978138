"""Figures are drawn here as people see them."""

import pytest


@pytest.fixture(autouse=True)
def _drawn(drawn):
    """Elsewhere they are left white, see ../fixtures.py."""
