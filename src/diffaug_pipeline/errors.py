"""Everything this project raises on purpose.

DiffaugError
├── ParameterError          parameters that are valid one by one do not fit together
├── DatasetFormatError      the user's dataset cannot be understood
├── UnknownClassesError     the generator was never taught the classes asked for
├── ModelFolderError        a model folder is missing, damaged or unsafe to load
├── HubError                a hub repository is missing, gated or cannot be had
│   └── HubUnreachableError the hub does not answer, and what is asked for is not in the local cache
├── MissingPackageError     an optional package is needed and not installed
├── TrainingSetError        a training set would break a rule (foreign images, emptiness)
│   └── LeakageError        a synthetic image in it is a copy of a validation or test image
├── LicenceError            a licence does not allow, or is not known to allow, what is intended
├── VersionError            a stored version is missing, half-written, damaged or in use
├── BatchTooLargeError      memory does not hold the images of a batch
├── DiskSpaceError          what is to be written does not fit on the disk
├── NotWritableError        a folder that is to be written to does not allow it
└── WorkerError             worker processes cannot do their work
"""

from collections.abc import Iterator


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


class HubError(DiffaugError, OSError):
    """A hub repository is missing, gated or cannot be had."""


class HubUnreachableError(HubError):
    """The hub does not answer, and what is asked for is not in the local cache."""


class MissingPackageError(DiffaugError, ImportError):
    """An optional package is needed and not installed."""


class TrainingSetError(DiffaugError, ValueError):
    """A training set would break a rule (foreign images, emptiness)."""


class LeakageError(TrainingSetError):
    """A synthetic image in a training set is a copy of a real validation or test image."""


class LicenceError(DiffaugError, ValueError):
    """A licence does not allow, or is not known to allow, what is intended."""


class VersionError(DiffaugError, RuntimeError):
    """A stored version is missing, half-written, damaged or in use."""


class BatchTooLargeError(DiffaugError, MemoryError):
    """Memory does not hold the images of a batch."""

    def __init__(self, message: str, batch_size: int):
        super().__init__(message, batch_size)
        self.batch_size = batch_size

    def __str__(self) -> str:
        return self.args[0]


class DiskSpaceError(DiffaugError, OSError):
    """What is to be written does not fit on the disk."""


class NotWritableError(DiffaugError, OSError):
    """A folder that is to be written to does not allow it."""


class WorkerError(DiffaugError, RuntimeError):
    """Worker processes cannot do their work."""


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """The error itself, what it was raised from or while handling, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def explanation_of(error: BaseException | None) -> DiffaugError | None:
    """The error of ours behind `error`: it says what to do, so nobody needs the traceback."""
    return next((cause for cause in causes_of(error) if isinstance(cause, DiffaugError)), None)
