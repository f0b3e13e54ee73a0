"""Ingests datasets as nobody should have to, one after the other, and says what each did.

`python confined_ingestion.py <seconds> <mebibytes>` reads a JSON list of `{"name", "task", "options"}` and prints a
line of JSON for each as it ends. One that takes more than <seconds> ends the process; so does one that asks for much
more memory than <mebibytes>, where it does not say so itself.
"""

import io
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet
from diffaug_pipeline.imaging.preparation import open_image
from diffaug_pipeline.ingestion.annotated import ingest_annotated
from diffaug_pipeline.ingestion.ingest import ingest
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions, IngestionOptions

TASKS = {"classification": (ingest, IngestionOptions), "detection": (ingest_annotated, DetectionIngestionOptions)}
ACTIONS = (
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile"),
    *("socket.connect", "socket.getaddrinfo", "urllib.Request", "pickle.find_class", "ctypes.dlopen"),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
)
"""What ingestion has no business to do, as `sys.audit` calls it."""
LOOKS = ("open", "os.listdir", "os.scandir")


class Watch:
    """Notes what is opened and done. Files that pyarrow opens by itself are not seen."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {"opened": set(), "written": set(), "actions": set()}
        sys.addaudithook(self._notice)

    def _notice(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in LOOKS and isinstance(arguments[0], str | bytes | Path):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            self._seen["opened"].add(path)
            if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                self._seen["written"].add(path)
        elif event in ACTIONS:
            self._seen["actions"].add(f"{event}{arguments[:1]}"[:200])

    def take(self) -> dict[str, list[str]]:
        """What was noticed since the last time."""
        taken = {what: [*map(_valid, sorted(names))] for what, names in self._seen.items()}
        for names in self._seen.values():
            names.clear()
        return taken


def outcome(task: str, options: dict[str, Any]) -> dict[str, Any]:
    """What a run would get: the report and the images, every one of them read and the tables stored."""
    run, options_class = TASKS[task]
    try:
        images, report = run(options_class(**options))
        table = images.index if isinstance(images, ImageSet) else images.plan
        for image in pictures(images):
            assert image.mode == "RGB", image.mode
        table.to_parquet(io.BytesIO())
        text = json.dumps(report, ensure_ascii=False, allow_nan=False).encode().decode()
    except DatasetFormatError as error:
        return {"outcome": "refused", "message": str(error)}
    except BaseException as error:
        return {"outcome": "raised", "message": f"{type(error).__name__}: {error}"[:2_000]}
    return {
        "outcome": "ingested",
        "report": json.loads(text),
        "image_ids": table["image_id"].tolist(),
        "sha256": table["sha256"].tolist(),
    }


def pictures(images: ImageSet | PlannedImageSet) -> Iterator[Image.Image]:
    """All of them, as the nodes that follow read them."""
    if isinstance(images, ImageSet):
        yield from images
        return
    for start in range(len(images.plan)):
        for file in images.make_images(images.plan.iloc[start : start + 1]):
            yield open_image(file.content)


def _valid(name: str) -> str:
    return name.encode(errors="replace").decode()


def _peak_mebibytes() -> int:
    described = Path("/proc/self/status").read_text()
    return int(described.split("VmHWM:")[1].split()[0]) // 1024


def main(seconds: int, mebibytes: int) -> None:
    """Ingests what standard input lists."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 2 * mebibytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    watch, before = Watch(), _peak_mebibytes()
    for request in json.load(sys.stdin):
        signal.alarm(seconds)
        started = time.perf_counter()
        watch.take()
        result = outcome(request["task"], request["options"]) | watch.take()
        spent = {"seconds": round(time.perf_counter() - started, 2), "mebibytes": _peak_mebibytes() - before}
        print(json.dumps({"name": request["name"]} | result | spent), flush=True)  # noqa: T201
    signal.alarm(0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
