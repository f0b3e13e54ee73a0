"""A cluster of two machines, played by two raylets on this one: same bytes, nothing lost, nothing left behind."""

import importlib
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from commands import without_package
from engines.handlers import Failing, Mortal, Sociable, Squares
from engines.test_sharing import PIECES, lives, squared
from factories import generator_preset, real_image_set, synthesis_options, tree_bytes
from features.feature_cases import feature_options
from kedro.io import Version

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.engines.ray_cluster import RayWorkers, ResourceShare, share_resources, stay_on_loopback
from diffaug_pipeline.engines.sharing import Work, share_out
from diffaug_pipeline.errors import WorkerError
from diffaug_pipeline.features.embedding import PlannedFeatures
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.prompts.options import PromptOptions, Vocabularies
from diffaug_pipeline.prompts.plan import plan_synthesis
from diffaug_pipeline.synthesis.synthesize import synthesize

pytestmark = pytest.mark.long

ray = pytest.importorskip("ray")
VOCABULARIES = Vocabularies(
    {"plain": {"templates": ["a photo of a {class_name}"], "axes": {}, "negative_prompt": "blurry"}}
)


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Of the processes that Ray starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
        patch.setenv("RAY_memory_monitor_refresh_ms", "0")  # on a full machine it would kill workers
        yield patch


@pytest.fixture(scope="module")
def cluster(environment) -> Iterator[SimpleNamespace]:
    """Two raylets with a core each; `lose` kills the second one with all its workers, `mend` starts another."""
    stay_on_loopback(ray)
    importlib.import_module("ray.cluster_utils")
    machine = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    started = ray.cluster_utils.Cluster(initialize_head=True, head_node_args=machine)
    nodes = [started.add_node(**machine)]
    environment.setenv("RAY_ADDRESS", started.address)
    yield SimpleNamespace(
        lose=lambda: started.remove_node(nodes.pop(), allow_graceful=False),
        mend=lambda: nodes.append(started.add_node(**machine)),
    )
    started.shutdown()


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 4, "test": 3})


def save_images(folder: Path, generator: Path, real: ImageSet, **changes) -> ImageSetDataset:
    """24 pictures by twos."""
    preset, options = generator_preset(str(generator)), synthesis_options(images_per_class=12, batch_size=2, **changes)
    plan = plan_synthesis(real, PromptOptions(vocabulary=None, wording={}), options, preset, VOCABULARIES)
    dataset = ImageSetDataset(filepath=str(folder / "images"), version=Version("v1", "v1"))
    dataset.save(synthesize(plan, real, options, preset))
    return dataset


def test_both_machines_take_part(cluster, tmp_path):
    done = squared(RayWorkers(str(tmp_path), None, on_gpus=True), Sociable)
    assert {number: square for number, (square, _) in done.items()} == {number: number**2 for number in PIECES}
    assert len({pid for _, pid in done.values()}) == 2


def test_a_lost_worker_loses_nothing(cluster, tmp_path, caplog):
    done = squared(RayWorkers(lives(tmp_path, 1), None, on_gpus=True), Mortal)
    assert {number: square for number, (square, _) in done.items()} == {number: number**2 for number in PIECES}
    assert caplog.text.count("A worker process was killed") == 1


def test_errors_are_those_that_were_raised_and_end_the_work(cluster):
    with pytest.raises(ArithmeticError, match="too hard") as raised:
        squared(RayWorkers("a", None, on_gpus=True), Failing)
    assert type(raised.value) is ArithmeticError


def test_a_machine_that_is_lost_loses_no_images_and_the_bytes_are_those_of_this_process(
    cluster, tiny_generator, real, tmp_path, caplog
):
    def lose_a_machine_once_something_is_made() -> None:
        staged = tmp_path / "ray" / "images" / ".staging" / "v1" / "images"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not list(staged.glob("[!.]*")):
            time.sleep(0.01)
        cluster.lose()

    loser = threading.Thread(target=lose_a_machine_once_something_is_made)
    loser.start()
    made = save_images(tmp_path / "ray", tiny_generator, real, engine="ray")
    loser.join()
    cluster.mend()
    assert "A worker process was killed" in caplog.text
    assert made.statistics["images_made"] == 24
    save_images(tmp_path / "here", tiny_generator, real)
    assert tree_bytes(tmp_path / "ray") == tree_bytes(tmp_path / "here")


def test_features_are_those_of_this_process(cluster, tiny_clip, real, tmp_path):
    done = {}
    for engine in ("local", "ray"):
        options = feature_options(tiny_clip, engine=engine)
        done[engine] = PlannedFeatures(real, real, options).make_in(tmp_path / engine, ())
    assert done["ray"] == done["local"]
    assert done["ray"]["scorer_vectors_made"] == len(real)
    assert tree_bytes(tmp_path / "ray") == tree_bytes(tmp_path / "local")


def test_without_an_address_ray_runs_here_unheard_by_others_and_nothing_of_it_stays(monkeypatch, caplog, capfd):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])  # Kedro's would print what we log
    before, heard_at, processes = set(psutil.pids()), set(), set()

    def take(*_: object) -> None:
        for process in psutil.process_iter(["cmdline"]):
            if process.pid not in before and any("ray" in word for word in process.info["cmdline"] or ()):
                processes.add(process.pid)
                heard_at.update(socket.laddr.ip for socket in process.net_connections("inet") if socket.laddr)

    with caplog.at_level(logging.INFO):
        share_out(Work("squares", PIECES, Squares, lambda number: (number,), take), RayWorkers("a", None, on_gpus=True))
    assert len(processes) > 3
    assert {ip.removeprefix("::ffff:") for ip in heard_at} == {"127.0.0.1"}
    deadline = time.monotonic() + 10
    while (left := processes & set(psutil.pids())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left
    assert "RAY_ADDRESS is not set: starting Ray on this machine alone" in caplog.text
    assert {record.name.split(".")[0] for record in caplog.records} == {"diffaug_pipeline"}
    assert "".join(capfd.readouterr()) == ""


def test_a_cluster_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(WorkerError, match=r"no Ray cluster answers at RAY_ADDRESS 127\.0\.0\.1:9; start one"):
        squared(RayWorkers("a", None, on_gpus=True), Squares)


def test_without_ray_one_sentence_names_the_extra():
    import subprocess

    code = """
from diffaug_pipeline.engines.ray_cluster import RayWorkers
from diffaug_pipeline.errors import MissingPackageError
try:
    RayWorkers("a", None, on_gpus=True).start(1).__enter__()
except MissingPackageError as error:
    print(error)
"""
    done = subprocess.run(without_package("ray", code), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("engine: ray needs Ray, which is not installed: pip install 'diffaug_pipeline[ray]'")


@pytest.mark.parametrize(
    ("machines", "workers", "share"),
    [
        ([{"CPU": 8.0}], None, ResourceShare(1, 8, 0)),
        ([{"CPU": 8.0}], 3, ResourceShare(3, 2, 0)),
        ([{"CPU": 4.0}, {"CPU": 2.0}], None, ResourceShare(2, 2, 0)),
        ([{"CPU": 2.0}, {"memory": 1e9}], 5, ResourceShare(5, 1 / 3, 0)),
        ([{"CPU": 8.0, "GPU": 4.0}, {"CPU": 8.0}], None, ResourceShare(4, 1, 1)),
        ([{"CPU": 8.0, "GPU": 1.0}], 3, ResourceShare(3, 1, 1 / 3)),
    ],
)
def test_workers_get_the_largest_equal_shares_that_fit(machines, workers, share):
    assert share_resources(machines, workers, on_gpus=True) == share


def test_gpus_are_left_alone_where_the_cpu_is_asked_for():
    assert share_resources([{"CPU": 4.0, "GPU": 1.0}], None, on_gpus=False) == ResourceShare(1, 4, 0)


def test_a_cluster_without_anything_to_compute_with_is_refused():
    with pytest.raises(WorkerError, match="no machine of the Ray cluster offers a CPU or a GPU"):
        share_resources([{"memory": 1e9}], None, on_gpus=True)
