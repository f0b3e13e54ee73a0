"""What `kedro package` makes runs where nothing of the project is but the wheel and the configuration's archive."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.version import Version

pytestmark = pytest.mark.long

MOST_MEGABYTES = 40
SECRET = "classification: {synthesis: {seed: 7}}"
RUN = "packaged"


@dataclass(frozen=True)
class Package:
    """What `kedro package` has made, and of what."""

    wheel: Path
    conf: Path
    sources: set[str]
    """Files of the package, relative to `src`."""


@pytest.fixture(scope="module")
def package(project, tmp_path_factory) -> Package:
    """Made in a copy, as packaging leaves folders behind; with something in `conf/local`."""
    copy = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (project / name).is_file()]
    for name in names:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / name, copy / name)
    (copy / "conf" / "local" / "parameters.yml").write_text(SECRET)
    links = tmp_path_factory.mktemp("links")
    write_wheel_of_setuptools(links)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links)}
    run([sys.executable, "-m", "kedro", "package"], copy, offline)
    sources = {name.removeprefix("src/") for name in names if name.startswith("src/")}
    return Package(next((copy / "dist").glob("*.whl")), next((copy / "dist").glob("conf-*.tar.gz")), sources)


@pytest.fixture(scope="module")
def elsewhere(package, tmp_path_factory) -> Path:
    """A folder with a virtual environment that has the wheel, and sees what it depends on but not the project."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(package.wheel)], folder)
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    seen = [place for place in sys.path if Path(place).name == "site-packages"]
    (site / "dependencies.pth").write_text("\n".join(seen))
    shutil.copy2(package.conf, folder)
    return folder


def write_wheel_of_setuptools(folder: Path) -> None:
    """The newest installed one, so that the isolated build needs no network."""
    newest = max(distributions(name="setuptools"), key=lambda found: Version(found.version))
    with ZipFile(folder / f"setuptools-{newest.version}-py3-none-any.whl", "w") as wheel:
        for file in newest.files:
            if file.suffix != ".pyc" and ".." not in file.parts:
                wheel.write(file.locate(), file.as_posix())


def run(command: list[str], folder: Path, variables: dict[str, str] | None = None) -> str:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=inherited | {"COLUMNS": "200"} | (variables or {}),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    return done.stdout


def test_the_wheel_holds_the_package_with_all_that_is_embedded_and_nothing_else(package):
    with ZipFile(package.wheel) as wheel:
        packed = {name for name in wheel.namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert packed == package.sources
    assert "diffaug_pipeline/embedded/generator/unet/diffusion_pytorch_model.safetensors" in packed
    assert package.wheel.stat().st_size < MOST_MEGABYTES * 1e6


def test_the_archive_of_the_configuration_leaves_out_what_is_local(package, project):
    with tarfile.open(package.conf) as archive:
        packed = {member.name for member in archive.getmembers() if member.isfile()}
    shipped = {f"conf/{path.relative_to(project / 'conf').as_posix()}" for path in (project / "conf").glob("*/*.yml")}
    assert packed == {name for name in shipped if "/local/" not in name} | {"conf/logging.yml", "conf/local/.gitkeep"}


def test_the_wheel_runs_smoke_where_there_is_no_project(package, elsewhere):
    python = str(elsewhere / "venv" / "bin" / "python")
    where = run([python, "-c", "import diffaug_pipeline; print(diffaug_pipeline.__file__)"], elsewhere)
    assert Path(where.strip()).is_relative_to(elsewhere / "venv")
    smoke = [python, "-m", "diffaug_pipeline", "--env", "smoke", "--conf-source", package.conf.name]
    smoke += ["--params", f"data_root={elsewhere / 'data'}"]
    printed = run([*smoke, "--pipelines", "classification", "--run-id", RUN], elsewhere)
    assert "classification: INCONCLUSIVE" in printed
    report = elsewhere / "data" / "08_reporting" / "classification" / "report.html" / RUN / "report.html"
    assert f"report: {report}" in printed
    report.unlink()
    assert f"run {RUN}\n" in run([*smoke, "--resume", "last"], elsewhere)
    assert report.is_file()
    assert {path.name for path in elsewhere.iterdir()} == {"venv", "data", package.conf.name}
