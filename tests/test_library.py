"""aplt from Python: its public names, results as frames, and own code by name and by object."""

import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import torch
from torch import nn

import aplt
from aplt import finished, prepare
from aplt.errors import InputError
from aplt.finished import typed
from aplt.methods.catalog import METHODS
from tests.runs.clips import write_clips

SHORT = {"train": {"rounds": 2, "warm_up_rounds": 1, "steps_per_round": 2, "batch_labeled": 4, "batch_unlabeled": 6}}

CODE = """
import torch
from torch import nn
import aplt

class Flat(nn.Module):
    def __init__(self, shape, width):
        super().__init__()
        size = 1
        for length in shape:
            size *= length
        self.linear = nn.Linear(size, width)

    def forward(self, clip):
        return self.linear(clip.flatten(1))

def build(clip_shape, *, width: int = 5) -> nn.Module:
    return Flat(clip_shape, width)

FLAT = aplt.Encoder(build, "skeleton")

class Half:
    views = 1
    labeled_views = 0

    def __init__(self, *, accept: bool = True) -> None:
        self.accept = accept

    def __call__(self, bank, label, num_classes, *, round_, previous):
        known = label[bank.position]
        given = known >= 0
        return aplt.Guidance.of_bank(
            bank, len(label), label=known.clamp(min=0), distance=torch.zeros(len(known)),
            accepted=given | self.accept, given=given, belief=torch.ones(len(known)),
            threshold=torch.ones(num_classes), prototype=torch.eye(num_classes, bank.feature.shape[1]), round_=round_,
        )

class Taught(nn.Module):
    def __init__(self, task, *, weight: float = 2.0) -> None:
        super().__init__()
        self.weight = weight

    def loss(self, step):
        if step.guidance is None:
            return aplt.StepLoss({})
        label = step.guidance.pseudo.label[step.batch.position]
        return aplt.StepLoss({"u_own": self.weight * nn.functional.cross_entropy(step.unlabeled.logits, label)})

OWN = aplt.Method("teaches class 0", "-", algorithm=Taught, offline=Half)
"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clips(tmp_path_factory.mktemp("clips"), 24)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module own_code in the working folder."""
    (tmp_path / "own_code.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_code", raising=False)
    import own_code  # type: ignore[import-not-found]

    module: ModuleType = own_code
    return module


def test_every_public_name_is_there_and_documented() -> None:
    for name in aplt.__all__:
        assert getattr(aplt, name) is not None
        assert name == "__version__" or getattr(aplt, name).__doc__, name
    assert set(aplt.__all__) == {*aplt._MODULE_OF, "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = aplt.nothing


def test_a_run_from_python(clips: Path, tmp_path: Path) -> None:
    run = aplt.train(str(clips), labeled=0.2, seed=1, name="first", runs=str(tmp_path), settings=SHORT)
    assert run.path == tmp_path / "first"
    assert run.report.exists()
    assert run.result.test is not None
    row = run.result.to_frame()
    assert row["test_top1"].tolist() == [run.result.test.top1]
    assert row["seed"].tolist() == [1]
    assert run.result.test.to_frame()["class"].tolist() == list(run.result.classes)
    assert run.rounds["round"].tolist() == [1, 2]
    assert run.rounds["pseudo_coverage"].notna().tolist() == [False, True]
    assert len(run.predictions) == run.result.counts.test
    assert run.predictions["score_1"].between(0, 1).all()
    assert run.pseudo_labels["accepted"].dtype == bool
    numbers = pd.Series(["1", "2"], name="offline_label")
    assert typed(numbers).tolist() == ["1", "2"]  # classes may be called so, as in the column label
    assert (run.predictions["truth"] == run.predictions["prediction_1"]).mean() == pytest.approx(run.result.test.top1)
    assert set(run.ledger["round"]) == {2}
    found = aplt.evaluate(run)
    assert found.figures == run.result.test
    assert set(aplt.labels(run)["id"]) == set(run.pseudo_labels["id"])
    assert set(aplt.suggest(str(run.path), 3)["id"]) < set(run.pseudo_labels["id"])
    with pytest.raises(aplt.InputError, match="strategy is 'covrage'; did you mean 'coverage'"):
        aplt.suggest(run, strategy="covrage")
    for model in (run, str(run.path), run.path / "model", run.model):
        table = aplt.predict(model, clips)
        assert len(table) == len(aplt.read_index(clips))
        assert (table["error"] == "").all()
    one = aplt.read_index(clips)[0].path
    alone = aplt.predict(run, str(one)).iloc[0]
    assert alone["path"] == str(one)
    assert alone["novelty"] == table.set_index("path")["novelty"][str(one)]  # whatever others are predicted
    assert aplt.resume(run.path).result == run.result


def test_a_model_comes_from_the_hub(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = aplt.train(clips, labeled=0.2, runs=tmp_path, settings=SHORT)
    asked: list[str] = []

    def fetch(repository: str, **_: object) -> str:
        if repository == "lab/none":
            raise OSError("401 Client Error")
        asked.append(repository)
        return str(run.path / "model")

    monkeypatch.setattr("aplt.models.recognizer.snapshot_download", fetch)
    assert aplt.load("lab/nods").class_names == list(run.result.classes)
    assert asked == ["lab/nods"]
    with pytest.raises(
        InputError, match=r"lab/none: no such folder, and not to be had from the Hub \(401 Client Error"
    ):
        aplt.load("lab/none")


def test_own_code_by_object_trains_resumes_predicts_and_compares(clips: Path, tmp_path: Path, own: ModuleType) -> None:
    settings = SHORT | {"method_settings": {"weight": 3.0}, "encoder_settings": {"width": 6}}
    run = aplt.train(clips, method=own.OWN, encoder=own.FLAT, labeled="20%", runs=tmp_path, settings=settings)
    assert run.path.name == "own_code-OWN-seed0"
    assert (run.result.method, run.result.encoder) == ("own_code:OWN", "own_code:FLAT")
    assert run.rounds["pseudo_coverage"].tolist()[1] == 1.0
    assert run.model.prototype.shape[1] == 6
    assert (aplt.predict(run, clips)["error"] == "").all()
    assert aplt.resume(run.path).result == run.result
    table = aplt.compare(
        clips,
        methods=["supervised", own.OWN],
        encoder="own_code:FLAT",
        labeled=0.2,
        seeds=1,
        upper_bound=False,
        settings=SHORT,
        output=tmp_path / "comparison",
    ).to_frame()
    assert table["method"].tolist() == ["supervised", "OWN"]


def test_an_own_offline_half_is_used_and_its_settings_checked(clips: Path, tmp_path: Path, own: ModuleType) -> None:
    settings = SHORT | {"offline": {"accept": False}}
    run = aplt.train(clips, method=own.OWN, labeled="20%", runs=tmp_path, settings=settings)
    assert run.rounds["pseudo_coverage"].tolist()[1] == 0.0
    with pytest.raises(InputError, match=r"unknown setting 'offline\.acept'; did you mean 'offline\.accept'"):
        aplt.train(clips, method=own.OWN, runs=tmp_path, settings={"offline": {"acept": False}})


def test_own_code_that_is_gone_is_named(
    clips: Path, tmp_path: Path, own: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = aplt.train(clips, encoder=own.FLAT, labeled="20%", runs=tmp_path, settings=SHORT)
    (tmp_path / "own_code.py").rename(tmp_path / "elsewhere.py")
    monkeypatch.delitem(sys.modules, "own_code")
    with pytest.raises(InputError, match=r"config\.json: encoder 'own_code:FLAT': no module 'own_code'"):
        aplt.load(run.path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own_code:FLATT", "has no 'FLATT'; did you mean 'FLAT'"),
        ("own_code:build", r"expected an aplt\.Encoder, found function"),
        ("own_code:OWN", r"expected an aplt\.Encoder, found Method"),
        ("subprocess:run", r"expected an aplt\.Encoder, found function"),
        ("no_such_module:FLAT", "no module 'no_such_module'"),
        ("own_code:", r"expected package\.module:name"),
        ("../own_code:FLAT", r"expected package\.module:name"),
    ],
)
def test_references_that_lead_nowhere(clips: Path, own: ModuleType, name: str, message: str) -> None:
    assert own is not None
    with pytest.raises(InputError, match=message):
        aplt.train(clips, encoder=name)


def test_a_module_that_needs_another_says_which(clips: Path, tmp_path: Path, own: ModuleType) -> None:
    assert own is not None
    (tmp_path / "needs_more.py").write_text("import not_installed_anywhere\n")
    with pytest.raises(InputError, match="its module needs 'not_installed_anywhere'"):
        aplt.train(clips, encoder="needs_more:X")


def test_a_module_that_is_no_python_says_where(clips: Path, tmp_path: Path, own: ModuleType) -> None:
    assert own is not None
    (tmp_path / "half_written.py").write_text("X = (\n")
    with pytest.raises(InputError, match=r"encoder 'half_written:X': .*half_written\.py line 1: '\(' was never closed"):
        aplt.train(clips, encoder="half_written:X")


def test_an_object_that_no_module_holds_cannot_be_found_again(clips: Path) -> None:
    def build(_: tuple[int, ...]) -> nn.Module:
        return nn.Flatten()

    with pytest.raises(InputError, match="this encoder is no variable of a module"):
        aplt.train(clips, encoder=aplt.Encoder(build, "skeleton"))


def test_objects_of_aplt_are_known_by_their_names() -> None:
    assert prepare.name_of(METHODS["uda"]) == "uda"
    assert prepare.name_of("my:own") == "my:own"
    assert prepare.name_of(None) is None


def test_tables_keep_ids_and_classes_as_text() -> None:
    table = pd.DataFrame({"id": ["007", "008"], "prediction_1": ["1", "2"], "score_1": ["0.5", ""]}, dtype=object)
    found = table.apply(finished.typed)
    assert found["id"].tolist() == ["007", "008"]
    assert found["prediction_1"].tolist() == ["1", "2"]
    assert found["score_1"].isna().tolist() == [False, True]
    assert torch.tensor(found["score_1"].to_numpy()).dtype == torch.float64
