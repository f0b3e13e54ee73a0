"""The base of all parameter blocks: closed, frozen, without defaults, so YAML is the only place of a value."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A block of `conf/<env>/parameters*.yml`; a missing, misspelt or impossible value stops a run before it starts."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        protected_namespaces=(),
        ser_json_inf_nan="strings",
    )
