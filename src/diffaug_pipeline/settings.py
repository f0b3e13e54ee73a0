"""Project settings, read by Kedro."""

from diffaug_pipeline.context import ProjectContext
from diffaug_pipeline.hooks import RunLedger, RunSummary
from diffaug_pipeline.session import RunSession

HOOKS = (RunLedger(), RunSummary())
SESSION_CLASS = RunSession
CONTEXT_CLASS = ProjectContext
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
    "config_patterns": {"schedules": ["schedules.yml"]},
}
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
