"""The parameters of a project: whatever is wrong with them is said at once, before anything is done with them."""

from typing import Any

from kedro.framework.context import KedroContext
from kedro.validation.exceptions import ParameterValidationError
from omegaconf.errors import ConfigTypeError

from diffaug_pipeline.options import lists_in, unknown_parameters
from diffaug_pipeline.pipeline_registry import register_pipelines

READ_BY_CATALOGS = frozenset({"data_root"})
"""Parameters of a command that lie in no block."""


class ProjectContext(KedroContext):
    """Kedro's context, which validates the blocks that pipelines read; here what no pipeline reads is an error too."""

    @property
    def params(self) -> dict[str, Any]:
        """Validated parameters. Raises Kedro's `ParameterValidationError`, which names all that cannot be used."""
        unknown = [f"\n- {sentence}" for sentence in unknown_parameters(self._merged(), _blocks())]
        try:
            validated = super().params
        except ParameterValidationError as error:
            raise ParameterValidationError("".join((str(error), *unknown))) from error
        if unknown:
            raise ParameterValidationError("".join(("Parameter validation failed:", *unknown)))
        return validated

    def _merged(self) -> dict[str, Any]:
        try:
            return self.config_loader["parameters"]
        except ConfigTypeError as error:
            lists = ", ".join(lists_in(self.config_loader.runtime_params))
            raise ParameterValidationError(
                f"Parameter validation failed:\n- {lists}: a list stands where conf/base has keys"
            ) from error


def _blocks() -> set[str]:
    """Every block that some pipeline reads, e.g. `classification.training`."""
    inputs = {name for pipeline in register_pipelines().values() for name in pipeline.inputs()}
    return READ_BY_CATALOGS | {name.removeprefix("params:") for name in inputs if name.startswith("params:")}
