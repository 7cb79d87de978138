"""Optimizers come without torch's compiler, whose import takes a second of whoever learns or asks."""

import re
from pathlib import Path

import plausible

SOURCE = Path(plausible.__file__).parent
MADE = re.compile(r"torch\.optim\.(Adam|AdamW|SGD|RMSprop)\(|from torch\.optim import")


def test_they_are_made_by_no_file_in_torchs_own_way():
    files = list(SOURCE.rglob("*.py"))
    assert len(files) > 100
    assert not [file.name for file in files if MADE.search(file.read_text())]
