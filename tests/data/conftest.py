"""A small folder of pictures that is packed in several ways."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CODES = np.random.default_rng(0).integers(0, 256, (12, 8, 12), dtype=np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two classes, with a text beside them."""
    root = tmp_path / "photos"
    for k, image in enumerate(CODES):
        path = root / "ab"[k % 2] / f"{k:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    (root / "readme.txt").touch()
    return root
