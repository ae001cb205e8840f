"""Plans: what is refused and how it is said, and the cells that a plan has."""

import shutil
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aplt.comparison.ablation import ABLATION
from aplt.comparison.plan import UPPER_BOUND, Key, Variant, load_plan
from aplt.comparison.record import CompareDir
from aplt.errors import InputError
from aplt.offline.phase import Clusters
from aplt.prepare import plan_comparison
from aplt.runs.setup import digests, read_clips
from tests.comparison.plans import cells_of, plan_of

subsets = st.lists(st.sampled_from(["supervised", "fixmatch", "aplt", "aplt_paper"]), min_size=1, unique=True)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    methods=subsets,
    labeled=st.lists(st.sampled_from([0.1, 0.2, 0.5]), min_size=1, unique=True),
    seeds=st.integers(1, 3),
    folds=st.lists(st.sampled_from(["s0", "s1", "s2"]), max_size=2, unique=True),
    upper_bound=st.booleans(),
)
def test_every_cell_once_and_the_same_split_for_all_methods(
    clips: Path, methods: list[str], labeled: list[float], seeds: int, folds: list[str], upper_bound: bool
) -> None:
    laid_over = [{"split": {"test_subjects": [name], "test": 0.2}} for name in folds]
    cells = cells_of(
        clips,
        methods=methods,
        labeled=labeled,
        seeds=seeds,
        upper_bound=upper_bound,
        datasets={"tiny": {"folds": laid_over}},
    )
    numbers = [str(k + 1) for k in range(len(folds))] or [""]
    wanted = set(product(numbers, methods, labeled, range(seeds)))
    if upper_bound:
        wanted |= set(product(numbers, [UPPER_BOUND], [1.0], range(seeds)))
    found = [(cell.key.fold, cell.key.method, cell.key.labeled, cell.key.seed) for cell in cells]
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert len({cell.path for cell in cells}) == len(cells)
    splits = {(cell.key.fold, cell.key.labeled, cell.key.seed, cell.digests["split"]) for cell in cells}
    assert len(splits) == len({key[:3] for key in splits})
    for cell in cells:
        assert cell.config.split.seed == cell.config.train.seed == cell.key.seed
        assert cell.config.input == cells[0].config.input
    for cell in cells[-2:]:
        assert cell.digests == digests(*read_clips(cell.config))  # what training will find


def test_a_part_of_a_study_is_balanced(clips: Path) -> None:
    other = {"clips": str(clips), "settings": {"train": {"learning_rate": 0.01}}}
    cells = cells_of(clips, datasets={"more": other}, methods=["supervised", "aplt"], seeds=2)
    assert [(cell.key.seed, cell.key.dataset, cell.key.method) for cell in cells] == [
        *product((0, 1), ("tiny", "more"), ("supervised", "aplt", UPPER_BOUND))
    ]


def test_steps_are_those_of_all_training_clips_whatever_the_share(clips: Path) -> None:
    unset = {"rounds": 10, "warm_up_rounds": 3, "steps_per_round": None}
    for train, steps in (
        ({}, 300),
        ({"budget": "quick"}, 30),
        ({"steps": 55}, 6),
        ({"epochs": 20, "batch_labeled": 1, "batch_unlabeled": 1}, 36),
    ):
        settings = {"train": unset | train}
        cells = cells_of(clips, methods=["supervised", "aplt"], labeled=[0.05, 0.5], settings=settings)
        assert {cell.config.train.steps_per_round for cell in cells} == {steps}
    with pytest.raises(InputError, match=r"'train.epochs' and 'train.steps' both say how long a run is"):
        cells_of(clips, settings={"train": unset | {"steps": 5, "epochs": 3}})


def test_a_variants_rounds_keep_the_number_of_steps(clips: Path) -> None:
    train = {"rounds": 10, "warm_up_rounds": 3, "steps_per_round": 8}
    each = {"half": (20, 6), "twice": (5, 2), "two": (2, 1)}
    variants = {name: {"settings": {"train": {"rounds": k, "warm_up_rounds": w}}} for name, (k, w) in each.items()}
    cells = cells_of(clips, settings={"train": train}, variants=variants, seeds=1, upper_bound=False)
    found = {cell.key.method: cell.config.train for cell in cells}
    assert {name: (train.rounds, train.warm_up_rounds, train.steps_per_round) for name, train in found.items()} == {
        "half": (20, 6, 4),
        "twice": (5, 2, 16),
        "two": (2, 1, 40),
    }


def test_the_file_gives_the_plan_back_and_paths_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    file = tmp_path / "plans" / "study.yaml"
    (tmp_path / "clips.csv").write_text("path,label\n")
    file.write_text(
        "datasets: {a: {clips: ../clips.csv, settings: {input: {cache_dir: cache}}, folds: [{split: {test: 30%}}]}}\n"
        "methods: supervised, aplt\n"
        "variants: {wide: {settings: {method_settings: {margin: 0.5}}}}\n"
        "labeled: [5%, 0.1]\nseeds: 2\n"
    )
    plan = load_plan(file, {})
    assert plan.datasets["a"].clips == tmp_path / "clips.csv"
    assert plan.datasets["a"].settings["input"]["cache_dir"] == str(tmp_path / "plans" / "cache")
    assert (plan.labeled, plan.seeds, plan.reference) == ((0.05, 0.1), (0, 1), "aplt")
    assert list(plan.rows) == ["supervised", "aplt", "wide"]
    (tmp_path / "again.yaml").write_text(plan.to_yaml())
    assert load_plan(tmp_path / "again.yaml", {}) == plan
    assert load_plan(tmp_path / "again.yaml", {"seeds": "3,5"}).seeds == (3, 5)


def test_options_are_laid_over_data_sets_and_folds(tmp_path: Path, clips: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(
        f"datasets: {{a: {{clips: {clips}, settings: {{train: {{rounds: 7, steps_per_round: 60}}}}, "
        "folds: [{split: {test: 30%}}, {}]}}\n"
    )
    over = {"train": {"steps_per_round": 2}, "split": {"test": "20%"}}
    plan = load_plan(file, {"settings": over})
    assert plan.settings == over
    assert plan.datasets["a"].settings == {"train": {"rounds": 7, "steps_per_round": 2}}
    assert plan.datasets["a"].folds == ({"split": {"test": "20%"}}, {})
    quick = load_plan(file, {"settings": {"train": {"budget": "quick"}}})
    assert quick.datasets["a"].settings == {"train": {"rounds": 7}}  # which would contradict it


def test_a_path_in_an_option_is_relative_to_the_working_folder(
    tmp_path: Path, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plans" / "study.yaml"
    file.parent.mkdir()
    file.write_text(f"datasets: {{a: {{clips: {clips}, settings: {{input: {{cache_dir: own}}}}}}}}\n")
    monkeypatch.chdir(tmp_path)
    plan = load_plan(file, {"settings": {"input": {"cache_dir": "cache"}}})
    found = [group["input"]["cache_dir"] for group in (plan.settings, plan.datasets["a"].settings)]
    assert found == [str(tmp_path / "cache")] * 2


def test_an_ablation_of_a_plan_has_none_of_its_methods(tmp_path: Path, clips: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(
        f"datasets: {{a: {{clips: {clips}}}}}\nmethods: [supervised, fixmatch]\nreference: fixmatch\nseeds: 2\n"
        "variants: {no clamp: {settings: {method_settings: {margin: 0.5}}}, aplt: {settings: {read_out: classifier}}}\n"
    )
    plan = load_plan(file, {"variants": ABLATION})
    assert plan.rows == {name: Variant.model_validate(variant) for name, variant in ABLATION.items()}
    assert (plan.reference, plan.seeds) == ("aplt", (0, 1))
    assert list(load_plan(file, {"variants": ABLATION, "methods": "uda"}).rows) == ["uda", *ABLATION]


def test_a_variant_that_is_the_plain_method_is_that_row(clips: Path) -> None:
    plan = plan_of(clips, methods="supervised,aplt,aplt_paper", variants=ABLATION)
    assert list(plan.rows) == ["supervised", *ABLATION]
    assert plan.reference == "aplt"


def test_defaults_of_a_plan(clips: Path) -> None:
    plain = plan_of(clips)
    assert (plain.methods, plain.reference) == (("supervised", "fixmatch_teacher", "aplt_paper", "aplt"), "aplt")
    own = plan_of(clips, variants={"a": {}, "b": {}})
    assert (own.methods, own.reference) == ((), "b")


def test_a_name_with_a_comma_stands_in_quotes() -> None:
    assert str(Key("nucla", "2", "uda, conf 0.6", 0.1, 3)) == "nucla fold 2, 'uda, conf 0.6', 10% labeled, seed 3"
    assert str(Key("nucla", "", "uda", 0.1, 3)) == "nucla, uda, 10% labeled, seed 3"


@pytest.mark.parametrize(("folder", "name"), [("nucla", "nucla"), ("arid.csv", "arid"), (".a: b?. ", "a- b-")])
def test_default_names_and_folders(clips: Path, tmp_path: Path, folder: str, name: str) -> None:
    source = tmp_path / folder if folder.endswith(".csv") else tmp_path / folder / "clips.csv"
    source.parent.mkdir(exist_ok=True)
    shutil.copy(clips, source)
    plan, found = plan_comparison(source, {}, {}, None)
    assert list(plan.datasets) == [name]
    assert found.path == Path("compare") / name
    assert plan_comparison(source, {"variants": ABLATION}, {}, None)[1].path == Path(f"compare/{name}-ablation")


def test_the_plan_of_a_comparison_goes_on_in_its_folder(clips: Path, tmp_path: Path) -> None:
    own = CompareDir(tmp_path / "first")
    own.path.mkdir()
    own.plan.write_text(plan_of(clips).to_yaml())
    assert plan_comparison(own.plan, {}, {}, None)[1].path == Path("compare/first")
    own.cells.touch()
    assert plan_comparison(own.path, {}, {}, None)[1].path == own.path
    assert plan_comparison(own.path, {"variants": ABLATION}, {}, None)[1].path == Path("compare/first-ablation")


def test_own_methods_are_rows_by_their_name(clips: Path) -> None:
    plan = plan_of(clips, methods="supervised,own.module:MINE")
    assert plan.reference == "MINE"
    assert plan.rows["MINE"] == Variant(method="own.module:MINE")


@pytest.mark.parametrize(
    ("methods", "reference"),
    [("supervised,uda", "uda"), ("uda,supervised", "supervised"), ("fixmatch,uda", "fixmatch")],
)
def test_methods_on_the_command_line_need_not_have_the_files_reference(
    clips: Path, tmp_path: Path, methods: str, reference: str
) -> None:
    file = tmp_path / "compare.yaml"
    plan = plan_of(clips, methods="supervised,fixmatch,aplt", reference="fixmatch")
    file.write_text(plan.to_yaml())
    assert load_plan(file, {"methods": methods}).reference == reference
    assert load_plan(file, {"seeds": 1}).reference == "fixmatch"
    file.write_text(plan_of(clips, methods="aplt", variants={"wide": {}}, reference="wide").to_yaml())
    assert load_plan(file, {"methods": methods}).reference == "wide"
    for wrong in ("variants: 5", "reference: [1]", "reference: apltt"):
        file.write_text(f"datasets: {{tiny: {{clips: {clips}}}}}\nmethods: aplt\n{wrong}\n")
        with pytest.raises(InputError, match=f"setting '{wrong.partition(':')[0]}'"):
            load_plan(file, {"methods": methods})


def test_the_upper_bound_may_be_the_training_of_a_row(clips: Path) -> None:
    cells = cells_of(clips, methods=["supervised", "aplt"], labeled=[1.0], seeds=1, upper_bound=True)
    assert len({cell.digest for cell in cells}) == 2  # supervised with all labels is the bound


def test_each_ablation_is_valid_and_differs_from_the_default(clips: Path) -> None:
    train = {"rounds": 10, "warm_up_rounds": 3}
    cells = cells_of(clips, settings={"train": train}, variants=ABLATION, seeds=1, upper_bound=False)
    configs = {cell.key.method: cell.config for cell in cells}
    assert list(configs) == list(ABLATION)
    texts = [config.to_yaml() for config in configs.values()]
    assert len(set(texts)) == len(texts)
    for config in configs.values():
        rounds, warm_up, steps = config.train.rounds, config.train.warm_up_rounds, config.train.steps_per_round or 0
        assert abs(rounds * steps - 40) <= rounds / 2
        if config.method == "aplt" and rounds > 2 and warm_up:
            assert abs(warm_up / rounds - 0.3) < 0.04  # as with the default's rounds
    # Every choice of the offline phase but how many views and iterations it has is undone once.
    default = configs["aplt"].offline
    assert default == Clusters().model_dump()
    undone = {
        name
        for config in configs.values()
        if config.method == "aplt" and config.offline is not None
        for name in default
        if config.offline[name] != default[name]
    }
    assert undone == set(default) - {"views", "iterations"}
