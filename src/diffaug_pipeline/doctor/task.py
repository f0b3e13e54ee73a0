"""What a task asks of this machine: its dataset, its models, room for its images, and licences that allow its use."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kedro.framework.project import pipelines

from diffaug_pipeline.doctor.dataset import check_dataset, look_into
from diffaug_pipeline.doctor.finding import Check, Finding
from diffaug_pipeline.doctor.hardware import check_engine
from diffaug_pipeline.doctor.licences import check_ingredients
from diffaug_pipeline.doctor.models import (
    ChosenModel,
    Hub,
    check_adapter,
    check_model,
    chosen_encoders,
    chosen_generator,
    chosen_labeller,
    find_folder,
    weights_bytes,
)
from diffaug_pipeline.doctor.storage import BYTES_PER_PIXEL, check_room
from diffaug_pipeline.doctor.weights import check_resnet_weights, check_yolo_weights
from diffaug_pipeline.export.licences import ULTRALYTICS
from diffaug_pipeline.labelling.strategy import choose_strategy
from diffaug_pipeline.project import Project
from diffaug_pipeline.run_checks import check_choices
from diffaug_pipeline.synthesis.options import GeneratorPreset, Mode

TASKS = ("classification", "detection")


@dataclass(frozen=True)
class Task:
    """One of `TASKS`, with the parameters of an opened project."""

    project: Project
    name: str
    hub_use: Hub
    load: bool
    """Whether models are really loaded."""

    def checks(self) -> dict[str, Check]:
        """By subject; each may raise, which is a finding."""
        named = {
            "choices": self._check_choices,
            "dataset": self._check_dataset,
            "generator": self._check_generator,
            "engine": self._check_engine,
            **{
                name: lambda model=model: check_model(model, self.hub_use, load=self.load)
                for name, model in self._models.items()
            },
            "weights": self._check_weights,
            "licences": self._check_licences,
        }
        return {f"{self.name} {subject}": check for subject, check in named.items()}

    @cached_property
    def _preset(self) -> GeneratorPreset:
        return self.project.parameters("params:generators").choose(self._block("synthesis").generator)

    @cached_property
    def _models(self) -> dict[str, ChosenModel]:
        """Beside the generator, by the part they play."""
        labeller = chosen_labeller(self._block("labelling")) if self._has_boxes else None
        return chosen_encoders(self._block("features")) | ({} if labeller is None else {"labeller": labeller})

    @property
    def _has_boxes(self) -> bool:
        return self.name == "detection"

    @property
    def _mode(self) -> Mode:
        return self._block("synthesis").mode or choose_strategy(self._block("labelling")).MODE

    def _block(self, name: str) -> Any:
        return self.project.parameters(f"params:{self.name}.{name}")

    def _check_choices(self) -> Iterator[Finding]:
        check_choices(pipelines[self.name], self.project.catalog)
        yield Finding("ok", "its parameters fit together")

    def _check_dataset(self) -> Iterator[Finding]:
        yield from check_dataset(self._block("ingestion"))
        yield from check_room(self.project.data_root, self._planned_bytes())

    def _check_generator(self) -> Iterator[Finding]:
        generator = chosen_generator(self._block("synthesis"), self._preset, self._mode)
        yield from check_model(generator, self.hub_use, load=self.load)
        for adapter in self._preset.adapters:
            yield from check_adapter(adapter, self.hub_use)

    def _check_engine(self) -> Iterator[Finding]:
        folder = find_folder(self._preset.model, self._preset.revision)
        weights = None if folder is None else weights_bytes(folder)
        yield from check_engine(self._block("synthesis"), self._preset, weights)

    def _check_weights(self) -> Iterator[Finding]:
        check = check_yolo_weights if self._has_boxes else check_resnet_weights
        yield from check(self._block("training"), load=self.load)

    def _check_licences(self) -> Iterator[Finding]:
        chosen = {"real images": self._block("ingestion").dataset, "generator": self._preset.model}
        chosen |= {f"adapter {adapter.model}": adapter.model for adapter in self._preset.adapters}
        chosen |= {role: model.name for role, model in self._models.items() if role != "measure"}
        asking = ("filtering", "labelling", "budget") if self._has_boxes else ()
        if any(self._block(block).needs_references for block in asking):
            chosen["detectors"] = ULTRALYTICS
        generators, licences = (self.project.parameters(f"params:{name}") for name in ("generators", "licences"))
        return check_ingredients(chosen, self._block("export"), generators, licences)

    def _planned_bytes(self) -> float:
        """Of what is generated, and of scenes as large as the real ones."""
        contents, synthesis = look_into(self._block("ingestion")), self._block("synthesis")
        generated = self._block("budget").total or synthesis.images_per_class * len(contents.class_names)
        pixels = generated * self._preset.width_px * self._preset.height_px
        if self._has_boxes:
            pixels += self._block("labelling").images * contents.mean_pixels
        elif synthesis.output_size == "source":
            pixels = generated * contents.mean_pixels
        return pixels * BYTES_PER_PIXEL
