"""The Hugging Face hub: at which commit a repository stands and what it holds; every failure is one sentence."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name

from diffaug_pipeline.errors import HubError, HubUnreachableError, ModelFolderError

COMMIT_DIGITS = 40
TOO_MANY = 429

logger = logging.getLogger(__name__)


@contextmanager
def hub_errors(model: str, revision: str | None) -> Iterator[None]:
    """Says what keeps `model` from being had, as `HubError`; that a single file is not there passes through."""
    try:
        yield
    except GatedRepoError as error:
        raise HubError(
            f"the model {model} is gated: accept its licence on its page on the hub, then log in with `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise HubError(
            f"the hub has no model {model}, or it is private; check the spelling, name a folder, or log in with "
            "`hf auth login`."
        ) from error
    except RevisionNotFoundError as error:
        raise HubError(
            f"the model {model} has no revision {revision}; name a commit, branch or tag of it, or null for the newest."
        ) from error
    except RemoteEntryNotFoundError:
        raise
    except HFValidationError as error:
        raise ModelFolderError(f"{model} is neither a folder nor a hub id, which reads owner/name.") from error
    except HfHubHTTPError as error:
        said = str(error).splitlines()[0]
        if error.response is not None and (error.response.status_code == TOO_MANY or error.response.is_server_error):
            raise HubUnreachableError(
                f"the hub is out of order or busy ({said}), and the model {model} is not in the local cache; try again "
                "later, or name a folder."
            ) from error
        raise HubError(
            f"the hub does not hand out the model {model}: {said}; see its page on the hub, or name a folder."
        ) from error
    except (HTTPError, OfflineModeIsEnabled, LocalEntryNotFoundError) as error:
        raise HubUnreachableError(
            f"the hub cannot be reached for the model {model}, and it is not in the local cache; connect, unset "
            "HF_HUB_OFFLINE, or name a folder."
        ) from error


def repository_commit(model: str, revision: str | None) -> str:
    """The commit that `revision`, or else the newest, stands for; out of reach of the hub, that of the cached snapshot.

    A commit is taken at its word. Raises `HubError`.
    """
    if revision is not None and is_commit(revision):
        return revision
    try:
        with hub_errors(model, revision):
            return HfApi().model_info(model, revision=revision).sha
    except HubUnreachableError:
        cached = cached_commit(model, revision)
        if cached is None:
            raise
        logger.warning("The hub cannot be reached; %s is taken from the local cache, commit %s.", model, cached[:8])
        return cached


def cached_commit(model: str, revision: str | None) -> str | None:
    """The commit that `revision`, or else the main branch or the last download, stands for in the local cache."""
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=model, repo_type="model")
    reference = folder / "refs" / (revision or "main")
    if reference.is_file():
        return reference.read_text().strip()
    snapshots = [path for path in folder.glob("snapshots/*") if revision in (None, path.name)]
    return max(snapshots, key=lambda path: path.stat().st_mtime).name if snapshots else None


def cached_snapshot(model: str, revision: str | None) -> Path | None:
    """The folder of that commit in the local cache, with what has been downloaded of it."""
    commit = cached_commit(model, revision)
    if commit is None:
        return None
    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=model, repo_type="model") / "snapshots" / commit


def repository_files(model: str, commit: str) -> dict[str, int]:
    """The repository's files and their sizes in bytes; raises `HubError`."""
    with hub_errors(model, commit):
        info = HfApi().model_info(model, revision=commit, files_metadata=True)
    return {file.rfilename: file.size or 0 for file in info.siblings}


def fetch_file(model: str, revision: str | None, name: str) -> Path | None:
    """One file of a repository, from the cache where it is there; None if the repository has no such file."""
    with hub_errors(model, revision):
        try:
            return Path(hf_hub_download(model, name, revision=revision))
        except RemoteEntryNotFoundError:
            return None


def is_commit(revision: str) -> bool:
    """Whether this is a full commit id, which never comes to mean something else.

    >>> is_commit("f03de327dd89b501a01da37fc5240cf4fdba85a1"), is_commit("main")
    (True, False)
    """
    return len(revision) == COMMIT_DIGITS and set(revision) <= set("0123456789abcdef")
