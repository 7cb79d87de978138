"""The commands in the order of their list: a new one is a file of its own and a line here."""

# ruff: noqa: I001, F401  # the order is that of the list
from plausible.cli import models
from plausible.cli import train
from plausible.cli import resume
from plausible.cli import watch
from plausible.cli import refine
from plausible.cli import runs
from plausible.cli import check
from plausible.cli import data
from plausible.cli import sample
from plausible.cli import interpolate
from plausible.cli import directions
from plausible.cli import reconstruct
from plausible.cli import complete
from plausible.cli import evaluate
from plausible.cli import compare
from plausible.cli import sweep
from plausible.cli import report
from plausible.cli import diagnose
from plausible.cli import classify
from plausible.cli import score
from plausible.cli import export
from plausible.cli import push
from plausible.cli import pull
from plausible.cli import app
from plausible.cli import claims
