"""What trackers are told: TensorBoard's files are read back; a resumed run goes on in the same curves."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from accelerate import Accelerator

from aplt.data.batches import SemiData
from aplt.errors import InputError
from aplt.rundir import RunDir
from aplt.runs.begin import resume, train
from tests.runs.clips import OFTEN, tiny_config
from tests.runs.runs import Stop, at_step, interrupt, same_run, stop


def curves(run: RunDir) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(run.path / "logs")).Reload()
    return {name: [(one.step, one.value) for one in found.Scalars(name)] for name in found.Tags()["scalars"]}


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="tensorboard is not installed")
def test_a_resumed_run_goes_on_in_the_same_curves(uninterrupted: RunDir, clips: Path, run: RunDir) -> None:
    config = tiny_config(clips, train=OFTEN["train"] | {"track": "tensorboard"})
    interrupt(config, run, 1, 2)
    before = curves(run)["train/loss"]
    assert [step for step, _ in before] == list(range(1, 7))
    # What was told after the last checkpoint, as by a run that was killed a little later.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aplt.runs.loop.save_checkpoint", lambda *_: None)
        patch.setattr(SemiData, "semi_batches", SemiData.semi_batches)  # to be put back
        at_step(2, 1, stop)()
        with pytest.raises(Stop):
            resume(run)
    assert curves(run)["train/loss"][-1][0] == 9
    resume(run)
    assert same_run(run, uninterrupted)  # looking on changes nothing
    found = curves(run)
    assert [step for step, _ in found["train/loss"]] == list(range(1, 13))
    assert found["train/loss"][:6] == before
    assert [step for step, _ in found["lr"]] == list(range(1, 13))
    rounds = run.read_rounds()
    pseudo = [(4 * line.round, line.pseudo) for line in rounds if line.pseudo]
    assert [step for step, _ in found["pseudo/coverage"]] == [step for step, _ in pseudo]
    assert [value for _, value in found["pseudo/coverage"]] == pytest.approx([one.coverage for _, one in pseudo])
    assert [value for _, value in found["pseudo/precision"]] == pytest.approx([one.precision for _, one in pseudo])
    for line in rounds:
        mean = sum(value for step, value in found["train/loss"] if (step - 1) // 4 == line.round - 1) / 4
        assert mean == pytest.approx(line.loss["total"], rel=1e-5)
    result = run.read_result()
    assert result.test is not None
    assert [step for step, _ in found["test/top1"]] == [4, 8, 12, 12]
    assert found["test/top1"][-1][1] == pytest.approx(result.test.top1)
    assert {"train/sup_logits", "train/u_logits", "test/macro_f1", "seconds/online"} <= found.keys()


class Told:
    """A tracker that remembers."""

    def __init__(self, project: str, **options: Any) -> None:
        self.project, self.options, self.ended = project, options, False
        self.steps: list[int] = []
        self.tracker = type("Run", (), {"id": options.get("id") or "abc"})()

    def finish(self) -> None:
        self.ended = True


def test_others_find_a_run_again_by_their_own_name_for_it(
    clips: Path, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accelerate's border is all that is put aside: neither accounts nor servers are at hand."""
    begun: list[tuple[Told, Any]] = []

    def init(self: Accelerator, project: str, settings: Any, options: dict[str, Any]) -> None:
        self.trackers = [Told(project, **options["wandb"])]
        begun.append((self.trackers[0], settings))

    def log(self: Accelerator, values: dict[str, float], step: int) -> None:
        if "train/loss" in values:
            self.trackers[0].steps.append(step)

    monkeypatch.setattr(Accelerator, "init_trackers", init)
    monkeypatch.setattr(Accelerator, "log", log)
    monkeypatch.setattr("aplt.runs.setup.require", lambda *_: None)
    config = tiny_config(clips, train=OFTEN["train"] | {"track": "wandb"})
    interrupt(config, run, 1, 2)
    resume(run)
    (first, settings), (second, again) = begun
    assert (first.options["id"], second.options["id"]) == (None, "abc")
    assert (first.steps, second.steps) == ([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12])
    assert (settings["train.rounds"], again) == (3, None)
    assert first.ended
    assert second.ended


def test_a_missing_tracker_is_refused_at_once(clips: Path, run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aplt.reference.find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"needs mlflow, .*pip install 'aplt\[mlflow\]'"):
        train(tiny_config(clips, train={"track": "mlflow"}), run)
    assert not run.path.exists()
    monkeypatch.undo()

    def refuse(*_: Any) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("aplt.runs.setup.require", lambda *_: None)
    monkeypatch.setattr(Accelerator, "init_trackers", refuse)
    with pytest.raises(InputError, match=r"'train.track': trackio cannot be used \(no route to host\)"):
        train(tiny_config(clips, train={"track": "trackio"}), run)
