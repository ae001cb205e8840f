"""What BORIS itself makes of projects: opens them, checks them and exports their events by its own code.

    python bench/boris_exports.py PROJECT.boris ... -o FOLDER

Needs the package boris-behav-obs, better in an environment of its own; no window is opened. FOLDER then has a tabular
.csv and an aggregated .tsv of each observation of videos. `aplt index` of them makes the clips that it makes of the
project.
"""

import argparse
import importlib
import importlib.util
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

HEADER = (
    ("Observation id", "Observation date", "Description", "Observation type", "Source", "Time offset (s)")
    + ("Coding duration", "Media duration (s)", "FPS (frame/s)", "Subject")
    + ("Observation duration by subject by observation", "Behavior", "Behavioral category", "Behavior type")
    + ("Start (s)", "Stop (s)", "Duration (s)", "Media file name", "Image index start", "Image index stop")
    + ("Image file path start", "Image file path stop", "Comment start", "Comment stop")
)
"""Of aggregated events; BORIS writes it in the function that asks for a file's name in a window."""


def boris(name: str) -> Any:
    """Returns a module of BORIS', without its main window and its player."""
    if "boris" not in sys.modules:
        spec = importlib.util.find_spec("boris")
        if spec is None:
            sys.exit("boris-behav-obs is not installed")
        package = types.ModuleType("boris")
        package.__path__ = list(spec.submodule_search_locations or [])
        sys.modules["boris"] = package
        player = sys.modules["boris.mpv2"] = types.ModuleType("boris.mpv2")
        player.sofile = "libmpv.so.2"  # type: ignore[attr-defined]
    return importlib.import_module(f"boris.{name}")


def main(files: list[Path], folder: Path) -> None:
    """Opens, checks and exports projects."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    cfg, functions, export = (boris(name) for name in ("config", "project_functions", "export_observation"))
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        _, _, project, message = functions.open_project_json(str(path))
        if "error" in project:
            print(f"{path.name}: {project['error']}")
            continue
        wrong = functions.check_project_integrity(project, "hh:mm:ss", str(path), media_file_available=False)
        wrong = re.sub("(<[^>]*>)+", " ", wrong).strip()
        print(f"{path.name}: opened; {message or 'nothing converted'}; {wrong or 'nothing wrong with it'}")
        ethogram = project[cfg.ETHOGRAM]
        asked = {
            cfg.SELECTED_SUBJECTS: [cfg.NO_FOCAL_SUBJECT, *(one["name"] for one in project[cfg.SUBJECTS].values())],
            cfg.SELECTED_BEHAVIORS: [one["code"] for one in ethogram.values()],
            "time": cfg.TIME_FULL_OBS,
        }
        for name, observation in project[cfg.OBSERVATIONS].items():
            if observation[cfg.TYPE] != cfg.MEDIA or not observation[cfg.EVENTS]:
                continue
            stem = folder / f"{path.stem}-{name.replace(' ', '_').replace('#', '')}"
            done = export.export_tabular_events(project, asked, name, observation, ethogram, f"{stem}.csv", "csv")
            table, _ = export.export_aggregated_events(project, asked, name)
            variables = [one["label"] for one in project[cfg.INDEPENDENT_VARIABLES].values()]
            modifiers = [f"Modifier #{number + 1}" for number in range(len(table[0]) - len(HEADER) - len(variables))]
            table.headers = [*HEADER[:9], *variables, *HEADER[9:13], *modifiers, *HEADER[13:]]
            Path(f"{stem}.tsv").write_text(table.export("tsv"), encoding="utf-8")
            print(f"  {name}: {len(observation[cfg.EVENTS])} events, tabular {done}, aggregated {len(table)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("build/boris"))
    options = parser.parse_args()
    main(options.files, options.output)
