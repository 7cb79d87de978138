"""What the parts of a data set are called, and which of several files hold its test part, by their names."""

import re
from collections.abc import Sequence
from pathlib import Path

PARTS = {
    "train": ("train", "training", "tr"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "te", "heldout"),
}


def tests_last(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """(all files, those that are called test behind the others; these); none where all are called so.

    >>> names = ["test-0.parquet", "train-0.parquet"]
    >>> [[file.name for file in files] for files in tests_last([Path(name) for name in names])]
    [['train-0.parquet', 'test-0.parquet'], ['test-0.parquet']]
    """
    tests = [
        file for file in files if set(re.split("[^a-z]+", file.name.lower())) & {*PARTS["test"]}
    ]
    others = [file for file in files if file not in tests]
    return ([*others, *tests], tests) if others else (list(files), [])
