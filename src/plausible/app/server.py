"""The server of the page: on this machine alone unless asked, without sharing, and nothing told to anybody."""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # gradio reads it when it is imported

import gradio as gr

from plausible.app.guard import guards
from plausible.app.look import CSS, theme
from plausible.app.page import make_page
from plausible.app.pictures import TEMPORARY
from plausible.app.workplace import Workplace
from plausible.core.errors import UsageError


@contextmanager
def served(work: Workplace, port: int | None = None, browser: bool = False) -> Iterator[str]:
    """The page while one is inside: yields its address.

    port     by default the first from 7860 on that is free.
    browser  open the page in the user's browser.
    Raises UsageError for a port or a host that cannot be had.
    """
    folder = tempfile.mkdtemp(
        prefix="plausible-app-"
    )  # of pictures and uploads, which go away with the page
    before = os.environ.get(TEMPORARY)
    os.environ[TEMPORARY] = folder
    page = make_page(work)
    try:
        yield _launch(page, work, port, browser)
    finally:
        page.close(verbose=False)
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop(TEMPORARY)
        if before is not None:
            os.environ[TEMPORARY] = before


def wait() -> None:
    """Until Ctrl-C."""
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


def _launch(page: gr.Blocks, work: Workplace, port: int | None, browser: bool) -> str:
    limits = work.limits
    page.queue(max_size=limits.max_waiting, default_concurrency_limit=1, api_open=False)
    try:
        _, address, _ = page.launch(
            server_name=work.host,
            server_port=port,
            inbrowser=browser,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            show_error=False,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
            ssr_mode=False,
            max_file_size=f"{limits.max_upload}mb",
            allowed_paths=[],
            app_kwargs={"middleware": guards(work.local, limits.max_upload)},
            theme=theme(),
            css=CSS,
        )
    except OSError as reason:
        where = f"{work.host}, port {port}" if port else work.host
        raise UsageError(f"the page cannot be served at {where}: {reason}") from reason
    return str(address)
