"""The filter desk in a real browser, and the run that goes by what was decided there."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from browser import open_tab, serving, take_screenshot, watched_page
from commands import kedro_app_command
from long_runs import FINISHED_RUN
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.slow

BY_HAND = "by-hand"
FILTERED = "05_filtered/classification"


@pytest.fixture(scope="module")
def data_root(classification_run, tmp_path_factory) -> Path:
    """A copy: the runs that others look at are not to find this one's overrides."""
    copied = tmp_path_factory.mktemp("desk") / "data"
    shutil.copytree(classification_run.data_root, copied)
    return copied


@pytest.fixture(scope="module")
def desk(data_root, app_conf, project, environment) -> Iterator[str]:
    with serving(kedro_app_command(data_root, app_conf), project, environment) as address:
        yield address


def open_desk(page: Page, address: str) -> None:
    open_tab(page, address, "Filter desk")
    expect(tiles(page).first).to_be_visible()
    expect(page.get_by_role("slider").first).to_be_visible()


def tiles(page: Page) -> Locator:
    return page.locator(".tiles button")


def kept(page: Page) -> tuple[int, int]:
    """How many would be kept, and how many are."""
    text = page.get_by_text("would be kept").inner_text()
    return tuple(
        int(number) for number in re.match(r"(\d+) of \d+ images would be kept, (\d+) in the run", text).groups()
    )


def stored(data_root: Path, name: str, run_id: str) -> pd.DataFrame | dict:
    path = data_root / FILTERED / name / run_id / name
    return pd.read_parquet(path) if path.suffix == ".parquet" else json.loads(path.read_text())


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_what_is_decided_at_the_desk_is_what_the_next_run_does(desk, page, data_root, kedro_run):
    before = stored(data_root, "filter_decisions.parquet", FINISHED_RUN)
    open_desk(page, desk)
    assert kept(page) == (before["accepted"].sum(),) * 2

    slider = page.get_by_role("slider", name="clip score: clip score")
    slider.focus()
    page.keyboard.press("PageUp")
    expect(page.get_by_text("would be kept")).not_to_contain_text("0 newly kept, 0 newly rejected")
    moved, _ = kept(page)
    assert moved != before["accepted"].sum()

    good = page.locator(".tiles button.kept").first
    rejected = good.get_attribute("value")
    good.click()
    expect(page.locator(".judged")).to_contain_text(f"{rejected}: kept")
    expect(page.locator(".judged")).to_contain_text("nearest real one")
    threshold = page.get_by_role("row", name=re.compile("^clip score")).get_by_role("cell").last
    expect(threshold).to_have_text(re.compile(r"\d\.\d{3}"))
    expect(page.get_by_role("row", name=re.compile("^task model probability")).get_by_role("cell").last).to_be_empty()
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator(".judged")).to_contain_text(f"{rejected}: rejected by hand")
    expect(page.get_by_text("would be kept")).to_contain_text("1 decided by hand")

    choose(page, "Show", "rejected")
    poor = tiles(page).filter(has_text="rejected by clip score").first
    saved = poor.get_attribute("value")
    poor.focus()
    page.keyboard.press("k")
    expect(page.locator(".judged")).to_contain_text(f"{saved}: kept by hand")
    expect(page.get_by_text("would be kept")).to_contain_text("2 decided by hand")
    expected, _ = kept(page)
    choose(page, "Show", "all")
    expect(page.locator(".tiles button.kept").first).to_be_visible()
    take_screenshot(page, "filter_desk")

    page.get_by_role("button", name="Save", exact=True).click()
    command = rf"kedro run --pipelines classification --env smoke --conf-source \S+ --params data_root={data_root}"
    expect(page.locator(".cm-content").filter(has_text=re.compile(command))).to_be_visible()
    path = data_root / "01_raw" / "classification" / "filter_overrides.yml"
    written = yaml.safe_load(path.read_text())
    assert (list(written["keep"]), list(written["reject"])) == ([saved], [rejected])

    kedro_run(data_root, "--pipelines", "classification_data", "--run-id", BY_HAND)
    assert stored(data_root, "filter_overrides.json", BY_HAND) == written
    decisions = stored(data_root, "filter_decisions.parquet", BY_HAND).set_index("image_id")
    assert decisions["by_hand"].dropna().to_dict() == {saved: "keep", rejected: "reject"}
    assert decisions.at[saved, "accepted"]
    assert decisions.at[rejected, "reason"] == "by_hand"
    assert decisions["accepted"].sum() == expected
    calibration = stored(data_root, "filter_calibration.json", BY_HAND)
    assert calibration["by_hand"]["thresholds"] == written["thresholds"]
    assert (calibration["by_hand"]["kept"], calibration["by_hand"]["rejected"]) == (1, 1)
    assert calibration["thresholds"]["clip_score"] != calibration["calibrated_thresholds"]["clip_score"]


def test_a_resumed_run_goes_by_what_it_has_read(data_root, kedro_run):
    """After the test above."""
    path = data_root / "01_raw" / "classification" / "filter_overrides.yml"
    decided = data_root / FILTERED / "filter_decisions.parquet" / BY_HAND / "filter_decisions.parquet"
    before = decided.read_bytes()
    shutil.rmtree(decided.parent)
    path.write_text("thresholds: {clip_score: {clip_score: 0}}\n")
    kedro_run(data_root, "--resume", BY_HAND)
    assert decided.read_bytes() == before
    path.write_text("thresholds: {clip_scores: 0}\n")
    refused = kedro_run(data_root, "--pipelines", "classification_data", check=False)
    assert refused.returncode != 0
    assert "thresholds.clip_scores: unknown; there is blank, clip_score, " in " ".join(refused.stderr.split())
    path.unlink()


def test_the_desk_fits_a_narrow_window(desk, browser: Browser):
    with watched_page(browser, width=390) as page:
        open_desk(page, desk)
        tiles(page).first.click()
        expect(page.locator(".judged")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        choose(page, "Run", FINISHED_RUN)
        expect(page.get_by_text("would be kept")).to_contain_text("0 newly kept, 0 newly rejected")
        choose(page, "Class", "coat")
        expect(tiles(page).filter(has_text="bag")).to_have_count(0)
        page.get_by_role("slider", name="clip score: clip score").focus()
        page.keyboard.press("End")
        expect(page.get_by_role("row", name=re.compile("^coat "))).to_contain_text(
            re.compile(r"coat\s*8\s*\d\s*[01]\b")
        )
        expect(page.get_by_role("row", name=re.compile("^bag "))).to_contain_text(re.compile(r"bag\s*8\s*(\d)\s*\1\b"))
