"""Where what can be made or fetched again is kept."""

import os
from pathlib import Path


def cache() -> Path:
    """$PLAUSIBLE_CACHE, or ~/.cache/plausible."""
    return Path(os.environ.get("PLAUSIBLE_CACHE") or Path.home() / ".cache" / "plausible")
