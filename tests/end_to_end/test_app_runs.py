"""The screen of runs in a real browser, on the runs of the smoke environment that tests share."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from browser import open_tab, take_screenshot, watched_page
from long_runs import FINISHED_RUN, ClassificationRun
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow

OUTSIDE = """
titles => titles.filter(title => {
  const plot = title.closest(".js-plotly-plot").getBoundingClientRect(), box = title.getBoundingClientRect();
  return box.left < plot.left || box.right > plot.right;
}).map(title => title.textContent)
"""
FIGURES = ("arms", "per class", "learning curves")
CONTROL = "random_filtered"


@pytest.fixture(scope="module")
def other_run(classification_run: ClassificationRun) -> Iterator[str]:
    """A run that was killed, with other parameters; only the ledger knows of it, and forgets it afterwards."""
    records = classification_run.data_root / "08_reporting" / "run_record.json"
    record = json.loads((records / FINISHED_RUN / "run_record.json").read_text())
    record |= {"run_id": "killed one", "status": "running"}
    record["parameters"]["classification"]["synthesis"]["num_inference_steps"] = 77
    record["nodes"] = dict(list(record["nodes"].items())[:2])
    record["nodes"]["detection.ingest_images"] = {"tags": ["ingestion"], "seconds": 65.0, "outputs": {}}
    (records / record["run_id"]).mkdir()
    (records / record["run_id"] / "run_record.json").write_text(json.dumps(record))
    yield record["run_id"]
    shutil.rmtree(records / record["run_id"])


@pytest.fixture
def damaged_run(classification_run: ClassificationRun) -> Iterator[Path]:
    """The record of a run of which one figure is left, or half of it.

    A browser that took its name for markup would ask for pictures that are not there.
    """
    reporting, run_id = classification_run.data_root / "08_reporting", "damaged <img src=x> ![](y)"
    record = json.loads((reporting / "run_record.json" / FINISHED_RUN / "run_record.json").read_text())
    documents = {"run_record.json": json.dumps(record | {"run_id": run_id}), "classification/arms_figure.json": "{"}
    paths = [reporting / name / run_id / Path(name).name for name in documents]
    for path, text in zip(paths, documents.values(), strict=True):
        path.parent.mkdir()
        path.write_text(text)
    yield paths[0].parent
    for path in paths:
        shutil.rmtree(path.parent, ignore_errors=True)


def comparison(data_root: Path) -> dict:
    return json.loads(
        (data_root / "08_reporting/classification/comparison.json" / FINISHED_RUN / "comparison.json").read_text()
    )


def open_runs(page: Page, address: str) -> None:
    """The tab, with all runs listed: what is typed before may be cleared."""
    open_tab(page, address, "Runs")
    expect(page.get_by_role("gridcell", name=FINISHED_RUN, exact=True).first).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    """By keyboard alone."""
    field = page.get_by_label(label, exact=True)
    field.focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(option)
    page.keyboard.press("Enter")
    expect(field).to_have_value(option)


def test_a_run_shows_its_verdict_its_curves_and_its_report(app, page, classification_run, other_run):
    open_runs(page, app)
    expect(page.get_by_role("gridcell", name="killed", exact=True).first).to_be_visible()
    choose(page, "Run", FINISHED_RUN)
    stored = comparison(classification_run.data_root)
    expect(page.get_by_text(f"{stored['verdict'].upper()}: {stored['reason']}")).to_be_visible()
    for figure in FIGURES:
        expect(page.get_by_role("heading", name=f"classification: {figure}")).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_contain_text(CONTROL)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the report on classification").click()
    report = opened.value
    expect(report.get_by_text("Run id")).to_contain_text(FINISHED_RUN)
    take_screenshot(page, "app_runs")


def test_two_runs_stand_side_by_side(app, page, other_run):
    open_runs(page, app)
    choose(page, "Run", FINISHED_RUN)
    choose(page, "Compare with", other_run)
    expect(page.get_by_role("heading", name=f"{FINISHED_RUN} beside {other_run}")).to_be_visible()
    expect(page.get_by_text("Parameters that differ: 1")).to_be_visible()
    row = page.get_by_role("row", name=re.compile(r"classification\.synthesis\.num_inference_steps"))
    expect(row.get_by_role("cell")).to_have_text(["4", "77"])
    expect(page.get_by_role("row", name=re.compile("^verdict")).get_by_role("cell").last).to_have_text("absent")


def test_runs_are_filtered_by_task_and_chosen_in_the_table(app, page, other_run):
    open_runs(page, app)
    finished, killed = (page.get_by_role("gridcell", name=name, exact=True) for name in (FINISHED_RUN, other_run))
    expect(finished.first).to_be_visible()
    page.get_by_label("Task", exact=True).click()
    page.get_by_role("option", name="detection").click()
    expect(finished).to_have_count(0)
    expect(page.get_by_role("gridcell", name="1 min 5 s", exact=True).first).to_be_visible()
    killed.first.click()
    expect(page.get_by_label("Run", exact=True)).to_have_value(other_run)
    expect(page.get_by_role("heading", name=f"Run {other_run}: killed")).to_be_visible()


def test_what_is_damaged_or_gone_is_named(app, page, damaged_run):
    open_runs(page, app)
    choose(page, "Run", damaged_run.name)
    expect(page.get_by_role("heading", name=f"Run {damaged_run.name}: finished")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="arms_figure.json cannot be read")).to_be_visible()
    shutil.rmtree(damaged_run)
    choose(page, "Compare with", FINISHED_RUN)
    expect(page.get_by_role("alert").filter(has_text=f"no run '{damaged_run.name}' is recorded")).to_be_visible()
    page.get_by_role("button", name="Refresh").filter(visible=True).click()
    expect(page.get_by_label("Run", exact=True)).to_have_value("")


def test_a_narrow_window_holds_it_all(app, browser: Browser, classification_run):
    with watched_page(browser, width=390) as page:
        open_runs(page, app)
        choose(page, "Run", FINISHED_RUN)
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        plots = page.locator(".js-plotly-plot").evaluate_all("plots => plots.map(p => p.getBoundingClientRect())")
        assert all(plot["left"] >= 0 and plot["right"] <= 390 for plot in plots)
        outside = page.locator(".js-plotly-plot .xtitle").evaluate_all(OUTSIDE)
        assert outside == []


@pytest.mark.parametrize("address", ["..%2F..%2Fetc/classification", f"{FINISHED_RUN}/..%2F..%2Frun_record"])
def test_nothing_but_reports_is_given(app, address):
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{app.rstrip('/')}/reports/{address}")
