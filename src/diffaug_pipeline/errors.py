"""Everything this project raises on purpose.

DiffaugError
├── ParameterError          parameters that are valid one by one do not fit together
├── DatasetFormatError      the user's dataset cannot be understood
├── UnknownClassesError     the generator was never taught the classes asked for
├── ModelFolderError        a model folder is missing, damaged or unsafe to load
├── MissingPackageError     an optional package is needed and not installed
├── TrainingSetError        a training set would break a rule (leakage, emptiness)
└── VersionError            a stored version is missing, half-written, damaged or in use
"""


class DiffaugError(Exception):
    """What came, what is allowed, what to do."""


class ParameterError(DiffaugError, ValueError):
    """Parameters that are valid one by one do not fit together, or with the dataset."""


class DatasetFormatError(DiffaugError, ValueError):
    """The user's dataset cannot be understood."""


class UnknownClassesError(DiffaugError, ValueError):
    """The generator was never taught the classes asked for."""


class ModelFolderError(DiffaugError, ValueError):
    """A model folder is missing, damaged or unsafe to load."""


class MissingPackageError(DiffaugError, ImportError):
    """An optional package is needed and not installed."""


class TrainingSetError(DiffaugError, ValueError):
    """A training set would break a rule (leakage, emptiness)."""


class VersionError(DiffaugError, RuntimeError):
    """A stored version is missing, half-written, damaged or in use."""
