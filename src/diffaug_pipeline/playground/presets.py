"""What can be known of a generator before it is loaded: whether it is there, and which schedulers fit it."""

from diffaug_pipeline.errors import ModelFolderError
from diffaug_pipeline.synthesis import hub
from diffaug_pipeline.synthesis.models import locate_model, scheduler_config
from diffaug_pipeline.synthesis.options import GeneratorPreset
from diffaug_pipeline.synthesis.schedulers import SOLVERS, SchedulerName, fitting_schedulers


def check_is_here(preset: GeneratorPreset) -> None:
    """Raises `ModelFolderError` unless the model's files are on this machine: only runs fetch any."""
    if locate_model(preset.model) is not None or hub.cached_commit(preset.model, preset.revision) is not None:
        return
    revision = "" if preset.revision is None else f" --revision {preset.revision}"
    raise ModelFolderError(
        f"the files of {preset.model} are not on this machine, and this page fetches none; get them with "
        f"`hf download {preset.model}{revision}`, or choose another generator."
    )


def schedulers_of(preset: GeneratorPreset) -> list[SchedulerName]:
    """Those that fit the model; all, where its files are not on this machine."""
    try:
        check_is_here(preset)
    except ModelFolderError:
        return list(SOLVERS)
    return fitting_schedulers(scheduler_config(preset.model, preset.revision))
