"""A page in a real browser: the server that gives it, the browser, and a watch over what leaves this machine."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOTS = "DIFFAUG_SCREENSHOTS"
"""The environment variable that names a folder for the pictures of the README; without it none is taken."""
THIS_MACHINE = "127.0.0.1"
TIMEOUT_MS = 60_000
"""Of which the first picture takes the most: it waits for torch, diffusers and transformers to be imported."""
expect.set_options(timeout=TIMEOUT_MS)


@contextmanager
def serving(command: list[str], cwd: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address that `command` prints once it serves; ends it afterwards."""
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        address = _wait_for_address(process.stdout)
        reading = threading.Thread(target=process.stdout.read)  # a full pipe would stop the server
        reading.start()
        try:
            yield address
        finally:
            process.terminate()
            reading.join()


def _wait_for_address(printed: IO[str]) -> str:
    lines = []
    for line in printed:
        lines.append(line)
        if found := re.search(r"open (http://\S+)", line):
            return found.group(1)
    raise RuntimeError(f"the server ended:\n{''.join(lines)}")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Skips the test where there is no browser."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def watched_page(browser: Browser, width: int = 1280, height: int = 900) -> Iterator[Page]:
    """A page that cannot reach other machines; raises AssertionError at the end if it tried, or logged an error."""
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    context.set_default_timeout(TIMEOUT_MS)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    outside, errors = [], []

    def check(route: Route) -> None:
        if urlsplit(route.request.url).hostname == THIS_MACHINE:
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    context.route("**/*", check)
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not outside, f"asked of other machines: {outside}"
    assert not errors, f"errors in the browser: {errors}"


def open_tab(page: Page, address: str, name: str) -> None:
    """Opens the app at `address` and there the tab called `name`."""
    page.goto(address)
    page.get_by_role("tab", name=name).click()


def take_screenshot(page: Page, name: str) -> None:
    """`name`.png for the README, if a folder is named for it."""
    if folder := os.environ.get(SCREENSHOTS):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
