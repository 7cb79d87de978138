"""Where tests write; and what is in fixtures.py, without which a process does that only hands tests to others."""

import gc
import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path

import pytest

gc.disable()  # until all is collected: it would look a dozen times through what is imported and stays
MEMORY = Path("/dev/shm")
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4e9:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)  # thousands of small folders come and go

# before torch is loaded, which looks once: threads of several workers, or of another program, wait for each other by
# spinning, and a small product of matrices then takes a hundred times as long
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
pytest.register_assert_rewrite("tests.fixtures")


def pytest_configure(config):
    """Torch takes seconds to import, for which all workers would wait."""
    hands_out = config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput")
    if hands_out:
        gc.enable()
    else:
        config.pluginmanager.register(import_module("tests.fixtures"), "tests.fixtures")


def __getattr__(name):
    """What tests import from here."""
    if name.startswith(("_", "pytest", "collect")):  # which pytest looks for
        raise AttributeError(name)
    return getattr(import_module("tests.fixtures"), name)
