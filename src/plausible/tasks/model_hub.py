"""Models on the Hugging Face hub: a folder goes up, its files come down, by the package ``huggingface_hub``."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError
from plausible.data.download import check_answers
from plausible.data.hub_name import HUB
from plausible.data.raw import first_line

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_INSTEAD = "a folder, as --to FOLDER, can be passed on by any other way"


def model_name(place: str) -> str:
    """user/name of "hub:user/name".  UsageError: no such name.

    >>> model_name("hub:ada/digits-gan")
    'ada/digits-gan'
    """
    name = place.removeprefix(HUB)
    if not re.fullmatch(rf"{_WORD}/{_WORD}", name):
        raise UsageError(f"{place} is no model of the hub: give it as hub:user/name")
    return name


def upload(folder: Path, place: str, files: Sequence[str], *, public: bool) -> str:
    """Put files of a folder into a model of the hub, which is made if need be, and its address.

    UsageError: without the package, nobody answers, nobody is logged in, the hub refuses.
    """
    hub, name, constants = _hub(place), model_name(place), _constants()
    if constants.HF_HUB_OFFLINE:
        raise UsageError(f"{place} cannot be reached, because HF_HUB_OFFLINE says so: {_INSTEAD}")
    _need_hub(constants.ENDPOINT, place, _INSTEAD)
    with _said(place, "written to", _INSTEAD):
        api = hub.HfApi()
        api.create_repo(name, repo_type="model", private=not public, exist_ok=True)
        api.upload_folder(
            repo_id=name,
            folder_path=str(folder),
            allow_patterns=list(files),
            commit_message="A model of plausible",
        )
    return f"{constants.ENDPOINT}/{name}"


def download(place: str, files: Sequence[str]) -> dict[str, bytes]:
    """{name: content} of those of these files that a model of the hub holds.

    UsageError: without the package, nobody answers and nothing was fetched before, no such model.
    """
    hub, name, constants = _hub(place), model_name(place), _constants()
    instead = "what was fetched before is read with HF_HUB_OFFLINE=1 in the environment"
    if not constants.HF_HUB_OFFLINE:
        _need_hub(constants.ENDPOINT, place, instead)
    with _said(place, "read", instead):
        folder = Path(hub.HfApi().snapshot_download(name, allow_patterns=list(files)))
        return {file: (folder / file).read_bytes() for file in files if (folder / file).is_file()}


def _hub(place: str) -> Any:
    try:
        return import_module("huggingface_hub")
    except ModuleNotFoundError:
        raise UsageError(
            f"{place} is reached by the package huggingface_hub: pip install 'plausible[hub]'"
        ) from None


def _constants() -> Any:
    """Its settings, which are no attribute of the package before somebody imports them."""
    return import_module("huggingface_hub.constants")


def _need_hub(host: str, place: str, instead: str) -> None:
    check_answers(host, f"{place} cannot be reached: nobody answers at {host}; {instead}")


@contextmanager
def _said(place: str, done: str, instead: str) -> Iterator[None]:
    """What the package raises, of its own kinds, as one sentence (UsageError)."""
    try:
        yield
    except Exception as error:
        raise UsageError(f"{place} cannot be {done}: {first_line(error)}; {instead}") from error
