"""What happens when the filter desk is used; what a visitor has decided comes in and goes out as a document."""

from typing import Any

import gradio as gr

from diffaug_pipeline.app.desk_room import PAGE_IMAGES, DeskRoom, View
from diffaug_pipeline.app.desk_views import describe_dial, show_counts, show_image, show_tiles
from diffaug_pipeline.app.sentences import say, warn
from diffaug_pipeline.errors import DiffaugError
from diffaug_pipeline.filtering.overrides import Overrides, overridable_columns

ALL_CLASSES = "all classes"
FIRST_COLUMN = "clip_score"
DIALS = [(rule, column) for rule, columns in overridable_columns().items() for column in columns]
VERDICTS = {"Keep": "keep", "Reject": "reject", "Undo": None}
NO_RUN = "No run has decided about images yet; kedro run --pipelines classification_data makes one that has."

Document = dict[str, Any]


class DeskHandlers:
    """One method per thing that a visitor can do."""

    def __init__(self, room: DeskRoom):
        self._room = room

    def refresh(self, *where: Any) -> list[Any]:
        """The same, as it is now."""
        self._room.forget()
        return self.open(*where)

    def open(self, task: str | None = None, run_id: str | None = None, document: Document | None = None) -> list[Any]:
        """The run, or the newest of the task, or of the first task that has any; without decisions, those saved."""
        tasks = self._room.tasks()
        if not tasks:
            return [gr.skip()] * 8 + [say(NO_RUN)]
        task = task if task in tasks else tasks[0]
        run_ids = self._room.run_ids(task)
        run_id = run_id if run_id in run_ids else run_ids[0]
        chosen = [gr.Dropdown(tasks, value=task), gr.Dropdown(run_ids, value=run_id)]
        try:
            desk = self._room.open(task, run_id).desk
            decided, status = self.read(task, run_id) if document is None else (document, "")
        except DiffaugError as error:
            return [chosen[0], gr.Dropdown(run_ids, value=None), *[gr.skip()] * 3, None, None, None, warn(str(error))]
        columns = desk.score_columns
        return [
            *chosen,
            gr.Dropdown([ALL_CLASSES, *desk.class_names], value=ALL_CLASSES),
            gr.Dropdown(
                [(desk.name_of(column), column) for column in columns],
                value=FIRST_COLUMN if FIRST_COLUMN in columns else columns[0],
            ),
            1,
            decided,
            decided if document is None else gr.skip(),
            None,
            status,
        ]

    def read(self, task: str, run_id: str) -> tuple[Document, str]:
        """What is saved, and what is wrong with it."""
        try:
            return self._room.read(task, run_id).as_document(), ""
        except DiffaugError as error:
            return Overrides().as_document(), warn(str(error))

    def read_again(self, task: str, run_id: str) -> tuple[Document, Document, str]:
        """In place of what is decided, and as what is known to be saved."""
        document, status = self.read(task, run_id)
        return document, document, status

    def show(self, task: str, run_id: str | None, document: Document | None, *view: Any) -> tuple[str, str, Any]:
        """Counts, one page of pictures, and the page's number."""
        if not run_id or document is None:
            return "", "", gr.skip()
        try:
            return self._show(task, run_id, document, *view)
        except DiffaugError as error:
            return warn(str(error)), "", gr.skip()

    def _show(self, task: str, run_id: str, document: Document, *view: Any) -> tuple[str, str, Any]:
        class_name, column, descending, shown, page, chosen = view
        opened, overrides = self._room.open(task, run_id), Overrides.model_validate(document)
        decided = opened.desk.decide(overrides)
        arranged = opened.arrange(decided, View(_one_of(class_name), column, descending, shown))
        pages = max(1, -(-len(arranged) // PAGE_IMAGES))
        page = min(max(1, int(page or 1)), pages)
        rows = arranged.iloc[(page - 1) * PAGE_IMAGES : page * PAGE_IMAGES]
        thumbnails = [self._room.thumbnail(task, run_id, image_id) for image_id in rows["image_id"]]
        tiles = show_tiles(rows.assign(new=opened.changed(decided)[rows.index]), thumbnails, column, chosen)
        counts = show_counts(opened, decided, opened.desk.match(overrides))
        return counts, tiles, gr.Number(page, label=f"Page, of {pages}")

    def describe(self, task: str, run_id: str | None, document: Document | None, image_id: str | None) -> list[Any]:
        """Whether the image may be decided about, and all that is known of it."""
        if not run_id or document is None or image_id is None:
            return [*[gr.Button(interactive=False)] * len(VERDICTS), say("Choose a picture to decide about it.")]
        opened, overrides = self._room.open(task, run_id), Overrides.model_validate(document)
        decided = opened.desk.decide(overrides).set_index("image_id", drop=False)
        try:
            shown = show_image(opened, decided.loc[image_id], overrides)
        except DiffaugError as error:
            shown = warn(str(error))
        return [*[gr.Button(interactive=True)] * len(VERDICTS), shown]

    def set_dials(self, task: str, run_id: str | None, document: Document | None, class_name: str) -> list[gr.Slider]:
        """Those of the rules that the run applies, at the thresholds of the class."""
        if not run_id or document is None:
            return [gr.Slider(visible=False)] * len(DIALS)
        desk = self._room.open(task, run_id).desk
        now, calibrated = (desk.thresholds(which) for which in (Overrides.model_validate(document), Overrides()))
        settings = {
            (dial.rule, dial.column): describe_dial(dial, now[dial.rule], calibrated[dial.rule], _one_of(class_name))
            for dial in desk.dials()
        }
        return [gr.Slider(visible=True, **settings[at]) if at in settings else gr.Slider(visible=False) for at in DIALS]

    def turn(
        self, rule: str, column: str, task: str, run_id: str, document: Document, class_name: str, needed: float
    ) -> Document:
        """With another threshold, of all classes where it has no other kind."""
        desk = self._room.open(task, run_id).desk
        by_class = next(dial.by_class for dial in desk.dials() if (dial.rule, dial.column) == (rule, column))
        of_class = _one_of(class_name) if by_class else None
        overrides = Overrides.model_validate(document)
        return overrides.with_threshold(rule, column, needed, of_class, desk.class_names).as_document()

    def decide(self, verdict: str | None, task: str, run_id: str, document: Document, image_id: str) -> Document:
        """With one image kept, rejected or left to the rules."""
        recipe = self._room.open(task, run_id).rows.at[image_id, "recipe"]
        return Overrides.model_validate(document).with_verdict(image_id, recipe, verdict).as_document()

    def decide_by_key(self, task: str, run_id: str, document: Document, event: gr.EventData) -> tuple[Document, str]:
        """The same for a key pressed on a picture, which is then the chosen one."""
        return self.decide(event.verdict, task, run_id, document, event.image_id), event.image_id

    def store(
        self, task: str | None, run_id: str | None, document: Document | None, known: Document | None
    ) -> tuple[str, Any, Any]:
        """Saves; says where, which command goes by it, and what is known to be saved."""
        if not run_id or document is None:
            return say(NO_RUN), gr.skip(), gr.skip()
        try:
            path = self._room.save(task, run_id, *map(Overrides.model_validate, (document, known)))
        except DiffaugError as error:
            return warn(str(error)), gr.skip(), gr.skip()
        command = gr.Code(self._room.command(task), visible=True)
        return say(f"Saved as {path}; runs that start from now on go by it."), command, document


def first_page() -> int:
    """Where another order or another choice of pictures begins."""
    return 1


def _one_of(class_name: str) -> str | None:
    return None if class_name == ALL_CLASSES else class_name


def back_to_calibrated(document: Document | None) -> Document | None:
    """With decisions on single images alone."""
    return document and Overrides.model_validate(document).without_thresholds().as_document()


def choose(event: gr.EventData) -> str:
    """The id of the picture that was pressed."""
    return event.image_id
