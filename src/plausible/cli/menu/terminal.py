"""What several commands share: where they print, and where they compute."""

from typing import Literal

from rich.console import Console

Device = Literal["auto", "cpu", "cuda", "mps"]
console = Console()
