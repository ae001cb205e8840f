"""The documentation says what the code does."""

import importlib.util
import re
from pathlib import Path

import pytest
from typer.main import get_command

from aplt.cli.main import app
from aplt.config import parse_assignments
from aplt.training.configure import effective_config
from aplt.training.recipes import RECIPES

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


def test_settings_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_settings", ROOT / "docs" / "make_settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == module.settings_page()


def commands() -> list[tuple[str, str]]:
    """Returns (page, command) for every `aplt` command in the documentation's code blocks."""
    found = []
    for page in PAGES:
        lines = page.read_text(encoding="utf-8").splitlines()
        matches = (re.match(r"    (aplt .*?)\s*(?:  #.*)?$", line) for line in lines)
        found += [(page.name, match[1]) for match in matches if match]
    return found


@pytest.mark.parametrize(("page", "command"), commands())
def test_commands_in_the_documentation_parse(page: str, command: str) -> None:
    verbs = get_command(app).commands  # type: ignore[attr-defined]
    _, verb, *words = command.split()
    assert verb in verbs, f"{page}: {command}"
    context = verbs[verb].make_context(verb, list(words), resilient_parsing=False)
    assignments = context.params.get("set_") or []
    effective_config({"clips": "x"} | parse_assignments(list(assignments)), "video", page)


def test_commands_were_found() -> None:
    assert len(commands()) > 8


def test_every_recipe_is_described() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert all(f"### {method}\n" in text for method in RECIPES)


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
