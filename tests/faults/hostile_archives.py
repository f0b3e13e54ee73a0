"""Archives, which ingestion does not open: their members would leave the folder, or are no files."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial

from faults.hostile_case import Case, folder_case


def hostile_archives() -> Iterator[Case]:
    """All of them, in a class and as the dataset."""
    kind = "archives"

    def zipped(*members: tuple[str, bytes], mode: int = 0o644) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in members:
                entry = zipfile.ZipInfo(name)
                entry.external_attr = mode << 16
                archive.writestr(entry, content)
        return buffer.getvalue()

    def tarred(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
        return buffer.getvalue()

    archives = {
        "up.zip": zipped(("../../outside/evil.png", b"x")),
        "absolute.zip": zipped(("/etc/evil.png", b"x")),
        "windows.zip": zipped(("..\\..\\outside\\evil.png", b"x")),
        "link.zip": zipped(("a.png", b"../../outside/canary.png"), mode=stat.S_IFLNK | 0o777),
        "up.tar": tarred("../../outside/evil.png"),
        "link.tar": tarred("a.png", tarfile.SYMTYPE, "../../outside/canary.png"),
        "hard_link.tar": tarred("a.png", tarfile.LNKTYPE, "../../outside/canary.png"),
        "device.tar": tarred("a.png", tarfile.CHRTYPE),
        "pipe.tar": tarred("a.png", tarfile.FIFOTYPE),
    }
    for name, content in archives.items():
        beside = partial(lambda name, content, root, outside: (root / "dog" / name).write_bytes(content), name, content)
        yield folder_case(f"{name} in a class", kind, beside, outcome="refused", names=(f"dog/{name}",))
        alone = partial(lambda name, content, root, outside: (root / name).write_bytes(content), name, content)
        yield folder_case(f"{name} as the dataset", kind, alone, outcome="refused", dataset=name)
