from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from diffaug_pipeline.imaging import image_grid
from diffaug_pipeline.scheduler_study import contact_sheet
from diffaug_pipeline.scheduler_study.contact_sheet import PICTURE_PX, choose_draws, draw_contact_sheet


def test_rows_are_samplers_columns_are_steps_and_what_they_approximate(study, monkeypatch):
    drawn = {}

    def remember(cells, row_titles, column_titles, caption):
        drawn.update(cells=cells, rows=row_titles, columns=column_titles, caption=caption)
        return image_grid.draw_grid(cells, row_titles, column_titles, caption)

    monkeypatch.setattr(contact_sheet, "draw_grid", remember)
    assert isinstance(draw_contact_sheet(study.images, study.options), Image.Image)
    assert drawn["rows"] == ["ddim, eta 0", "ddim, eta 1", "pndm", "heun", "euler_ancestral"]
    assert drawn["columns"] == ["2 steps", "4 steps", "long run:\ndpmpp_2m\n12 steps"]
    assert "knight" in drawn["caption"]
    index = study.images.index.set_index(["cell", "draw"])
    for row, column, cell in ((1, 1, "ddim, eta 1, 4 steps"), (3, 0, "heun, 2 steps"), (2, 2, "long run")):
        corner = drawn["cells"][row][column].crop((0, 0, PICTURE_PX, PICTURE_PX))
        picture = Image.open(Path(index.loc[(cell, "<i>knight</i>/0000"), "path"])).convert("RGB")
        enlarged = np.asarray(picture).repeat(4, axis=0).repeat(4, axis=1)
        assert np.array_equal(np.asarray(corner), enlarged)


def test_extra_prompts_are_shown_first_then_as_many_labels_as_there_is_room():
    labels = ["bag", "coat", "dress", "shirt", "knight"]
    index = pd.DataFrame(
        {
            "label": labels * 2,
            "draw": [f"{label}/{number}" for number in range(2) for label in labels],
            "is_extra": [label == "knight" for label in labels] * 2,
        }
    )
    assert choose_draws(index)["draw"].tolist() == ["knight/0", "bag/0", "coat/0", "dress/0"]
    few = index[index["label"].isin(["bag", "knight"])]
    assert choose_draws(few)["draw"].tolist() == ["knight/0", "bag/0", "knight/1", "bag/1"]
