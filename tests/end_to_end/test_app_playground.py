"""The playground in a real browser, with the embedded model."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from browser import open_tab, take_screenshot, watched_page
from factories import smooth_image
from long_runs import FINISHED_RUN
from PIL import Image
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.slow

DRAWN = "section.drawn"


def open_playground(page: Page, app: str) -> None:
    open_tab(page, app, "Playground")
    expect(page.get_by_role("button", name="Generate")).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def choose_mode(page: Page, mode: str) -> None:
    page.get_by_role("radio", name=mode).check()


def pictures(page: Page, section: int = 0) -> list[Image.Image]:
    urls = page.locator(DRAWN).nth(section).locator("a[download]").evaluate_all("links => links.map(a => a.href)")
    return [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


def status(page: Page, text: str) -> None:
    expect(page.locator("[role=status], [role=alert]").filter(has_text=text)).to_be_visible()


@pytest.fixture
def odd_png(tmp_path: Path) -> Path:
    """45 x 61 pixels, half transparent."""
    picture = smooth_image("odd", (45, 61)).convert("RGBA")
    picture.putalpha(128)
    picture.save(tmp_path / "odd.png")
    return tmp_path / "odd.png"


def test_what_is_drawn_here_is_what_the_run_has_stored(app, page, classification_run):
    open_playground(page, app)
    page.get_by_label("Class", exact=True).fill("coat")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Generate").click()
    status(page, "Done.")
    shown = page.locator(DRAWN)
    expect(shown).to_contain_text(
        re.compile(r" s.* · 4 model evaluations per picture · CLIP score \d\.\d{3} to the class")
    )
    expect(page.locator(".terms")).to_have_text("embedded:generator; licence: MIT, commercial use allowed")
    recipes = page.locator("a[download]").evaluate_all("links => links.map(a => a.download)")
    stored = classification_run.data_root / "04_synthetic/classification/synthetic_images" / FINISHED_RUN
    files = {path.name: path for path in stored.rglob("*.png")}
    assert len(set(recipes)) == 4
    for recipe, picture in zip(recipes, pictures(page), strict=True):
        theirs = np.asarray(Image.open(files[recipe]), int)
        assert np.abs(np.asarray(picture, int) - theirs).max() <= 2  # of a larger batch
        assert theirs.std() > 20


def test_a_source_of_odd_size_comes_back_at_its_own(app, page, odd_png):
    open_playground(page, app)
    choose_mode(page, "image_to_image")
    page.locator("input[type=file]").first.set_input_files(odd_png)
    expect(page.get_by_text("odd.png")).to_be_visible()
    page.get_by_label("Count").fill("2")
    page.get_by_role("button", name="Compare, from").click()
    page.get_by_role("button", name="Compare strengths").click()
    expect(page.locator(DRAWN)).to_have_count(3)
    assert [picture.size for section in range(3) for picture in pictures(page, section)] == [(45, 61)] * 6
    source = np.asarray(Image.open(odd_png).convert("RGBA"), int)[..., :3] * 128 // 255
    changes = [
        np.abs(np.asarray(pictures(page, section)[0].convert("RGB"), int) - source)[8:53].mean() for section in range(3)
    ]
    assert changes == sorted(changes)


def test_schedulers_side_by_side_from_the_same_seeds(app, page):
    open_playground(page, app)
    page.get_by_role("button", name="Compare, from").click()
    page.get_by_role("button", name="Compare schedulers").click()
    expect(page.locator(f"{DRAWN} h3")).to_have_text(["dpmpp_2m, 4 steps", "ddim, 4 steps", "ddpm, 4 steps"])
    first, second = (np.asarray(pictures(page, section)[0], float) for section in (0, 1))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.8
    take_screenshot(page, "playground")


def test_what_is_marked_on_the_source_is_drawn_anew(app, page, odd_png):
    open_playground(page, app)
    choose_mode(page, "inpainting")
    page.locator("input[type=file]").first.set_input_files(odd_png)
    canvas = page.locator("canvas").first
    expect(page.get_by_text(re.compile(r"^(?!100)\d+%$"))).to_be_visible()  # enlarged to fill the editor
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 8, y - 8)
    page.mouse.down()
    page.mouse.move(x + 8, y + 8, steps=6)
    page.mouse.up()
    page.get_by_label("Count").fill("1")
    page.get_by_role("button", name="Generate").click()
    status(page, "Done.")
    take_screenshot(page, "playground_inpainting")
    source = np.asarray(Image.open(odd_png).convert("RGB"), int) * 128 / 255
    changed = np.abs(np.asarray(pictures(page)[0], int) - source).max(2) > 2
    assert 0.005 < changed.mean() < 0.5
    assert not changed[:4].any()


def start_long_drawing(page: Page) -> None:
    page.get_by_label("Steps").fill("900")
    page.get_by_label("Count").fill("16")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("/900 model evaluations")).to_be_visible()


def test_a_drawing_is_cancelled_within_a_step_and_the_model_goes_on(app, page):
    open_playground(page, app)
    start_long_drawing(page)
    page.get_by_role("button", name="Cancel").click()
    status(page, "Stopped; nothing is drawn any more.")
    page.get_by_label("Steps").fill("3")
    page.get_by_label("Count").fill("1")
    page.get_by_role("button", name="Generate").click()
    status(page, "Done.")
    assert len(pictures(page)) == 1


def test_others_wait_for_their_turn_and_a_closed_page_gives_it_up(app, page, browser):
    with watched_page(browser) as first:
        open_playground(first, app)
        start_long_drawing(first)
        open_playground(page, app)
        page.get_by_role("button", name="Generate").click()
        expect(page.get_by_text("queue: 1/1")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        status(page, "Stopped; nothing is drawn any more.")
        expect(page.get_by_text("queue: 1/1")).to_have_count(0)
        expect(page.get_by_text("Error", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Generate").click()
        expect(page.get_by_text("queue: 1/1")).to_be_visible()
    status(page, "Done.")
    assert len(pictures(page)) == 4


def test_a_wrong_input_gets_one_sentence(app, page, tmp_path):
    open_playground(page, app)
    generate = page.get_by_role("button", name="Generate")
    page.get_by_label("Steps").fill("0")
    generate.click()
    status(page, "num_inference_steps is 0: input should be greater than or equal to 1.")
    page.get_by_role("button", name="As parameters").click()
    page.evaluate("navigator.clipboard.writeText('of somebody else')")
    page.get_by_role("button", name="Copy as parameters").click()
    page.get_by_label("Steps").fill("4")
    choose_mode(page, "image_to_image")
    generate.click()
    status(page, "image_to_image starts from a picture; upload one as the source.")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "broken.png")
    status(page, "the source cannot be used: the content is not a picture in a known format")
    page.get_by_label("Clear").filter(visible=True).click()
    status(page, "There is no source.")
    choose(page, "Generator", "sd15")
    choose_mode(page, "text_to_image")
    generate.click()
    status(page, "the files of stable-diffusion-v1-5/stable-diffusion-v1-5 are not on this machine")
    assert page.evaluate("navigator.clipboard.readText()") == "of somebody else"


def test_the_keyboard_is_enough(app, page):
    open_playground(page, app)
    page.get_by_role("textbox", name=re.compile("^Prompt")).focus()
    page.keyboard.type("a photo of a dress")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Generate":
            break
    page.keyboard.press("Enter")
    status(page, "Done.")
    expect(page.get_by_role("img", name="a photo of a dress")).to_have_count(4)


NAMELESS = """
() => [...document.querySelectorAll("input, textarea, select, button, [role=slider]")]
  .filter(element => element.checkVisibility() && element.getBoundingClientRect().width > 1)
  .filter(element => !(element.labels?.length || element.ariaLabel || element.title || element.textContent.trim()))
  .map(element => element.outerHTML)
"""


def test_every_field_has_a_name(app, page):
    open_playground(page, app)
    for mode in ("text_to_image", "image_to_image", "inpainting"):
        choose_mode(page, mode)
        assert page.evaluate(NAMELESS) == [], mode


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(app, browser: Browser, width):
    with watched_page(browser, width) as page:
        open_playground(page, app)
        for name in ("Compare, from", "As parameters"):
            page.get_by_role("button", name=name).click()
        choose_mode(page, "image_to_image")
        choose_mode(page, "text_to_image")
        page.get_by_role("button", name="Copy as parameters").click()
        status(page, "Copied.")
        assert "generator: embedded" in page.evaluate("navigator.clipboard.readText()")
        page.get_by_role("button", name="Generate").click()
        status(page, "Done.")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        take_screenshot(page, f"playground_{width}")


def test_the_watch_notices_what_is_asked_of_other_machines(browser: Browser):
    with (
        pytest.raises(AssertionError, match=r"asked of other machines: \['http://outside\.invalid/font\.png'\]"),
        watched_page(browser) as page,
    ):
        page.set_content('<img src="http://outside.invalid/font.png">')
