import os
import time
from pathlib import Path

from history.history_cases import catalog, record, store

from diffaug_pipeline.doctor.ledger import check_clock, check_unfinished
from diffaug_pipeline.history.reading import read_history

BEGUN = {"conf_source": str(Path.cwd() / "conf"), "runtime_params": {"data_root": "/my data"}}


def examined(folder: Path, check) -> list:
    datasets = catalog(folder)
    return list(check(read_history(datasets.get), datasets.get("run_record")))


def test_unfinished_runs_come_with_the_command_that_finishes_them(tmp_path):
    store(tmp_path, record("done"))
    (finding,) = examined(tmp_path, check_unfinished)
    assert (finding.level, finding.says) == ("ok", "1 recorded, none left unfinished")
    store(tmp_path, record("stopped", "interrupted", "2026-02-01T00:00:00+00:00", **BEGUN))
    store(tmp_path, record("gone", "failed", pruned="2026-03-01T00:00:00+00:00"))
    (finding,) = examined(tmp_path, check_unfinished)
    assert (finding.level, finding.says) == ("advice", "run stopped was left interrupted")
    assert finding.advice == ("kedro run --resume stopped --env smoke --params 'data_root=/my data' finishes it.")


def test_of_many_unfinished_runs_the_latest_are_named(tmp_path):
    for number in range(7):
        store(tmp_path, record(str(number), "running", f"2026-01-0{number + 1}T00:00:00+00:00", **BEGUN))
    findings = examined(tmp_path, check_unfinished)
    assert [finding.says for finding in findings[:2]] == ["run 6 was left killed", "run 5 was left killed"]
    assert findings[-1].says == "2 more runs were left unfinished"


def test_a_damaged_record_is_named(tmp_path):
    store(tmp_path, record())
    (tmp_path / "run_record.json" / "a" / "run_record.json").write_text("{")
    findings = examined(tmp_path, check_unfinished)
    assert "cannot be read (JSONDecodeError" in findings[0].says


def test_a_run_from_the_future_means_that_the_clock_is_wrong(tmp_path):
    store(tmp_path, record("now"))
    (finding,) = examined(tmp_path, check_clock)
    assert finding.level == "ok"
    tomorrow = time.time() + 86_400
    os.utime(tmp_path / "run_record.json" / "now" / "run_record.json", (tomorrow, tomorrow))
    (finding,) = examined(tmp_path, check_clock)
    assert finding.level == "problem"
    assert "run now was written after that" in finding.says
