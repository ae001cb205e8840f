"""Builds the wheel, installs it into an environment of its own, and tries it there: python tools/try_wheel.py [--demo].

Everything goes to build/wheel/: the wheel, the environment (about 5 GB, the standard builds of torch) and what the demo
makes. With --demo an environment that is there is used as it is, so that the demo can be tried alone.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "wheel"
ENVIRONMENT = BUILD / "environment"
SCRIPTS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")


def run(*command: str | Path, where: Path = BUILD) -> str:
    """Runs a command without this checkout on its path and returns what it prints; a failure ends the script."""
    print("$", *command, flush=True)
    settings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run([*map(str, command)], cwd=where, env=settings, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        sys.exit(f"try_wheel: {command[0]} ended with status {done.returncode}")
    return done.stdout


def install() -> None:
    """Builds the wheel and makes the environment anew."""
    # What setuptools left of an earlier build would be packed again, files that are gone since included.
    for leftover in (BUILD, BUILD.parent / "lib"):
        shutil.rmtree(leftover, ignore_errors=True)
    BUILD.mkdir(parents=True)
    venv.create(ENVIRONMENT, with_pip=True)
    pip = (SCRIPTS / "python", "-m", "pip")
    run(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", BUILD, ROOT)
    (wheel,) = BUILD.glob("aplt-*.whl")
    run(*pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)


def main() -> None:
    """Tries the wheel."""
    asked = sys.argv[1:]
    if asked not in ([], ["--demo"]):
        sys.exit(__doc__)
    if not asked or not ENVIRONMENT.exists():
        install()
    version = run(SCRIPTS / "aplt", "--version")
    if run(SCRIPTS / "python", "-m", "aplt", "--version") != version:
        sys.exit("try_wheel: `aplt` and `python -m aplt` are not of one version")
    if asked:
        run(SCRIPTS / "aplt", "demo", "demo")


if __name__ == "__main__":
    main()
