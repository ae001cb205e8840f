"""Cells trained by the workers of a cluster: the same rows, also where a worker is lost."""

import os
import signal
import stat
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from aplt.comparison.cells import Cell
from aplt.comparison.launchers import Launch, Worker
from aplt.comparison.record import CompareDir, Row
from aplt.comparison.work import CellError
from aplt.data.batches import SemiData
from aplt.errors import InputError
from tests.comparison.studies import rows_of, study_of
from tests.runs.runs import at_step

SBATCH = """#!/bin/sh
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$1")
for task in $(seq 0 "$last"); do
    SLURM_JOB_ID=7$task SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task SLURM_PROCID=0 sh "$1"
done > /dev/null 2>&1 &
echo "Submitted batch job 7"
"""
SRUN = """#!/bin/sh
while [ "$1" != "PYTHON" ]; do shift; done
exec "$@"
"""
SACCT = """#!/bin/sh
printf 'JobID|State|NodeList\\n7_0|RUNNING|here\\n7_1|RUNNING|here\\n'
"""


class Mortal(Worker):
    """Dies in the last round of the first cell, once."""

    def __call__(self, cell: Cell) -> Row | CellError:
        died, begun = self.here / "died", self.here / f"{os.getpid()}.txt"

        def die() -> None:
            if not died.exists():
                died.write_text(str(cell.path))
                os.kill(os.getpid(), signal.SIGKILL)

        whole = SemiData.semi_batches
        at_step(1, 1, die)()
        armed = SemiData.semi_batches

        def batches(self: SemiData, steps: int, number: int, **options: Any) -> Any:
            with begun.open("a") as stream:
                stream.write(f"{cell.path} {number} {options.get('start', 0)}\n")
            return armed(self, steps, number, **options)

        SemiData.semi_batches = batches  # type: ignore[method-assign,assignment]
        try:
            return super().__call__(cell)
        finally:
            SemiData.semi_batches = whole  # type: ignore[method-assign]


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Slurm that does the tasks of an array one after the other."""
    for name, text in (("sbatch", SBATCH), ("srun", SRUN), ("sacct", SACCT), ("scancel", "#!/bin/sh\n")):
        tool = tmp_path / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(text.replace("PYTHON", sys.executable))
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")


def two_cells(clips: Path, path: Path, launch: Launch) -> Any:
    return study_of(clips, path, launch, methods=["supervised", "aplt"], upper_bound=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "module", "settings"),
    [("ray", "ray", {"num_cpus": 1}), ("slurm", "submitit", {"cluster": "local"})],
    ids=["ray", "submitit's local executor"],
)
def test_a_cell_whose_worker_is_killed_is_continued_by_another(
    launcher: str,
    module: str,
    settings: dict[str, Any],
    whole: Path,
    clips: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip(module, reason=f"{module} is not installed: pip install 'aplt[{launcher}]'")
    monkeypatch.setattr("aplt.comparison.launchers.Worker", Mortal)
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))  # for this module
    monkeypatch.chdir(tmp_path)
    two_cells(clips, Path("study"), Launch(launcher, settings=settings)).run()
    assert rows_of(Path("study")).equals(rows_of(whole).iloc[[0, 2]].reset_index(drop=True))
    victim = Path("died").read_text()
    begun = [line.split() for file in tmp_path.glob("*.txt") for line in file.read_text().splitlines()]
    assert [victim, "1", "1"] in begun  # not from its start
    assert begun.count([victim, "0", "0"]) == 1
    assert not (Path("study") / "failed.csv").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("slurm")
def test_cells_are_the_jobs_of_one_array(
    whole: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("submitit", reason="submitit is not installed: pip install 'aplt[slurm]'")
    monkeypatch.chdir(tmp_path)
    settings = {"slurm_partition": "gpu", "cpus_per_task": 1, "timeout_min": 90}
    two_cells(clips, Path("study"), Launch("slurm", settings=settings)).run()
    assert rows_of(Path("study")).equals(rows_of(whole).iloc[[0, 2]].reset_index(drop=True))
    (script,) = Path("study/slurm").glob("*/*_submission.sh")
    lines = script.read_text().splitlines()
    for flag in ("array=0-1%2", "partition=gpu", "cpus-per-task=1", "time=90"):
        assert f"#SBATCH --{flag}" in lines


@pytest.mark.skipif(find_spec("submitit") is None, reason="submitit is not installed: pip install 'aplt[slurm]'")
@pytest.mark.parametrize(
    ("settings", "told"),
    [({}, "srun"), ({"cluster": "local", "slurm_queue": "gpu"}, "queue"), ({"cluster": "sge"}, "sge")],
    ids=["no Slurm here", "unknown setting", "unknown queue"],
)
def test_what_a_queue_does_not_take_is_a_sentence(
    settings: dict[str, Any], told: str, clips: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=f"^--launcher slurm: .*{told}"):
        two_cells(clips, tmp_path, Launch("slurm", settings=settings)).run()


@pytest.mark.parametrize(("launcher", "module"), [("ray", "ray"), ("slurm", "submitit")])
def test_a_missing_engine_is_a_sentence(
    launcher: str, module: str, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aplt.reference.find_spec", lambda _: None)
    with pytest.raises(InputError, match=rf"this needs {module}, .*pip install 'aplt\[{launcher}\]'"):
        two_cells(clips, tmp_path, Launch(launcher)).run()
    assert CompareDir(tmp_path).table.exists()


def test_a_launch_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(InputError, match="expected one of local, ray, slurm"):
        Launch("sge")
    with pytest.raises(InputError, match="--launcher ray or slurm"):
        Launch(settings={"num_gpus": 1})
    with pytest.raises(InputError, match="slurm_array_parallelism"):
        Launch("slurm", jobs=2)
