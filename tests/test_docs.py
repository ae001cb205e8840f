"""The documentation says what the code does."""

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import yaml

from aplt.cli.main import app
from aplt.comparison.plan import DEFAULT_METHODS, Plan, make_plan
from aplt.comparison.record import COLUMNS, CompareDir
from aplt.comparison.results import read_comparison
from aplt.errors import InputError
from aplt.methods.catalog import METHODS
from aplt.runs.configure import effective_config
from aplt.settings import load_yaml, merge, parse_assignments
from tests.comparison.fake_comparison import fake_comparison
from tests.test_cli import command_of

ROOT = Path(__file__).parent.parent
MADE = ROOT / "docs" / "results"
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")),
    *(page for page in (ROOT / "docs").rglob("*.md") if MADE not in page.parents),
]


def script(name: str) -> ModuleType:
    """Returns a script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_settings_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == script("make_settings").settings_page()


def test_results_stand_beside_their_command_seeds_and_hours(tmp_path: Path) -> None:
    folder = fake_comparison(tmp_path / "study")
    make_results = script("make_results")
    study = read_comparison(folder)
    page = make_results.study_page(study)
    assert "# study\n\n    aplt compare clips.csv --seeds 3\n\n21 cells, seeds 0, 1, 2, 0.3 hours" in page
    assert "| aplt        |" in page
    assert "| Against " in page
    assert page.count("<details markdown>\n<summary>") == page.count("</details>") > 0
    assert "| [study](study.md) |  | 21 | 0, 1, 2 | 0.3 |\n" in make_results.overview([study])
    cells = CompareDir(folder).cells
    cells.write_text("".join(cells.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError, match="20 of 21 cells are done"):
        make_results.study_page(read_comparison(folder))


def test_every_published_study_is_introduced() -> None:
    studies = {plan.parent.name for plan in (ROOT / "results").glob("*/compare.yaml")}
    assert script("make_results").QUESTIONS.keys() == studies


def test_the_figures_in_the_readme_are_those_of_the_log() -> None:
    rows = pd.read_csv(ROOT / "docs" / "log" / "2026-11-27-evidence.csv")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([\w -]+), (\d+ %|all) \| (.*) \| (.*) \| (.*) \| (.*) \|$", text, flags=re.MULTILINE)
    assert len(found) == len(rows.groupby(["dataset", "labeled"]))
    for data, share, *figures in found:
        labeled = 1.0 if share == "all" else float(share.split()[0]) / 100
        of = rows[(rows["dataset"] == data) & (rows["labeled"] == labeled)]
        methods = ("upper bound", "-", "-", "-") if share == "all" else ("supervised", "fixmatch", "simmatch", "aplt")
        for method, figure in zip(methods, figures, strict=True):
            cells = 100 * of[of["method"] == method]["top1"]
            assert figure.strip() == (f"{cells.mean():.1f} ± {cells.std():.1f}" if len(cells) else "-")
            assert len(cells) == (0 if method == "-" else 3)


def test_the_plan_in_the_documentation_is_one() -> None:
    text = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
    plan = make_plan(yaml.safe_load(text.split("```yaml")[1].split("```")[0]), "compare.md", Path())
    assert list(plan.rows) == ["supervised", "fixmatch_teacher", "aplt", "wide margin", "uda at 0.9", "short rounds"]
    require_usable(plan)


def test_the_plans_of_the_evidence_differ_in_their_clips_and_seeds_alone() -> None:
    names = ("evidence", "nucla_folds", "replication")
    evidence, folds, replication = (load_yaml(ROOT / "studies" / f"{name}.yaml") for name in names)
    assert evidence | {"datasets": folds["datasets"]} == folds
    assert replication["datasets"].items() < evidence["datasets"].items()
    assert evidence | {"datasets": replication["datasets"], "seeds": replication["seeds"]} == replication
    assert not set(evidence["seeds"]) & set(replication["seeds"])
    tail = load_yaml(ROOT / "studies" / "tail.yaml")
    assert set(evidence["methods"]) < set(tail["methods"])
    assert evidence["variants"].items() < tail["variants"].items()


@pytest.mark.parametrize("study", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda path: path.name)
def test_the_plans_of_the_studies_can_be_trained(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = make_plan(load_yaml(study), study.name, study.parent)
    for variant in plan.variants.values():
        if weights := variant.settings.get("encoder_weights"):
            (tmp_path / weights).touch()  # as the plan says that it lies there
    require_usable(plan)


def require_usable(plan: Plan) -> None:
    """Raises an InputError where a row of the plan, in any data set or fold, has unknown settings."""
    for data in plan.datasets.values():
        kind = "video" if "size" in merge(plan.settings, data.settings).get("input", {}) else "skeleton"
        for fold in data.folds or ({},):
            shared = merge(merge(plan.settings, data.settings), fold)
            for name, variant in plan.rows.items():
                settings = merge({"clips": "x", "method": variant.method}, merge(shared, variant.settings))
                settings.pop("encoder_weights", None)  # a file that whoever repeats the study has
                if settings.get("encoder", "").startswith("timm:"):
                    pytest.importorskip("timm")
                effective_config(settings, kind, name)


def test_the_defaults_of_a_comparison_are_told() -> None:
    names = [f"`{name}`" for name in DEFAULT_METHODS]
    told = (
        f"Without options it compares {', '.join(names[:-1])} and {names[-1]} on 10 % of the labels with three seeds."
    )
    plan = make_plan({"datasets": {"x": {"clips": "x"}}}, "plan", Path())
    assert (plan.labeled, plan.seeds) == ((0.1,), (0, 1, 2))
    assert told in (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")


def test_every_column_of_a_comparison_is_described() -> None:
    text = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
    assert [column for column in COLUMNS if f"`{column}`" not in text] == []


def commands() -> list[tuple[str, str]]:
    """Returns (page, command) for every `aplt` command in the documentation's code blocks."""
    found = []
    for page in PAGES:
        lines = page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        matches = (re.match(r"    (?:\$ )?(aplt [a-z].*?)\s*(?:  #.*)?$", line) for line in lines)
        found += [(page.name, match[1]) for match in matches if match]
    return found


@pytest.mark.parametrize(("page", "command"), commands())
def test_commands_in_the_documentation_parse(page: str, command: str) -> None:
    verbs = command_of(app).commands  # type: ignore[attr-defined]
    _, verb, *words = shlex.split(command)
    if verb.startswith("--"):
        assert any(verb in option.opts for option in command_of(app).params), f"{page}: {command}"
        return
    assert verb in verbs, f"{page}: {command}"
    context = verbs[verb].make_context(verb, list(words), resilient_parsing=False)
    if any(":" in (context.params.get(name) or "") for name in ("method", "encoder")):
        return  # the reader's own, with settings of its own
    assignments = context.params.get("set_") or []
    effective_config({"clips": "x"} | parse_assignments(list(assignments)), "video", page)


def test_commands_were_found() -> None:
    assert len(commands()) > 8


def test_every_recipe_is_described() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert all(f"### {method}\n" in text for method in METHODS)


@pytest.mark.parametrize("name", ["own_encoder", "own_method"])
def test_the_examples_in_the_tutorial_are_the_files_that_run(name: str) -> None:
    page = (ROOT / "docs" / "tutorials" / "python.md").read_text(encoding="utf-8")
    example = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    assert f"`examples/{name}.py` has " in page
    assert f"```python\n{example}```\n" in page


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            file = (page.parent / target).resolve()
            if MADE in file.parents:  # a page that git does not hold, made from a study's cells
                assert file.stem == "index" or (ROOT / "results" / file.stem / "compare.csv").exists(), (
                    f"{page}: {target}"
                )
            else:
                assert target.startswith("http") or file.exists(), f"{page}: {target}"
