"""Own code by name, package.module:name: what a config or a model folder says of it, and back to the object."""

import importlib
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from aplt.errors import InputError, suggest

REFERENCE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_Kind = TypeVar("_Kind")


def is_reference(name: str) -> bool:
    """Says whether a name is one of own code rather than of something that aplt brings along."""
    return ":" in name


def resolve(name: str, kind: type[_Kind], what: str) -> _Kind:
    """Returns the object of a type that package.module:name refers to; the working folder is searched, too.

    Only an object of that very type is returned: a name from outside, as in a model folder, can reach nothing else.

    Raises:
        InputError: the name is none, the module cannot be imported, or it holds no such object.
    """
    if not REFERENCE.fullmatch(name):
        raise InputError(f"{what} '{name}': expected package.module:name")
    path, _, attribute = name.partition(":")
    module = _imported(path, name, what)
    found = getattr(module, attribute, None)
    if isinstance(found, kind):
        return found
    own = [key for key, value in vars(module).items() if isinstance(value, kind)]
    if found is not None:
        raise InputError(f"{what} '{name}': expected an aplt.{kind.__name__}, found {type(found).__name__}")
    hint = suggest(attribute, own) if own else f"; it has no aplt.{kind.__name__} at all"
    raise InputError(f"{what} '{name}': {module.__file__} has no '{attribute}'{hint}")


def reference_to(value: Any, what: str) -> str:
    """Returns package.module:name of an object that is a variable of an imported module or of the running script.

    Raises:
        InputError: it is no module's variable, so that no other process could find it.
    """
    for path, module in list(sys.modules.items()):
        for attribute, found in list(vars(module).items()) if isinstance(module, ModuleType) else ():
            if found is value and (name := _script() if path == "__main__" else path):
                return f"{name}:{attribute}"
    raise InputError(
        f"this {what} is no variable of a module: write it at the top level of a file that can be imported, so that "
        "other processes and later commands find it"
    )


def installed(module: str, extra: str) -> Any:
    """Returns a module of the optional dependencies `extra`."""
    require(module, extra)
    return importlib.import_module(module)


def require(module: str, extra: str) -> None:
    """Raises an InputError where a module of the optional dependencies `extra` is not installed."""
    if find_spec(module) is None:
        raise InputError(f"this needs {module}, which is not installed: pip install 'aplt[{extra}]'")


def _imported(path: str, name: str, what: str) -> ModuleType:
    if path == _script():
        return sys.modules["__main__"]
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and (path == error.name or path.startswith(f"{error.name}.")):
            where = f"it is neither in {here} nor installed"
            if path.endswith(".py"):
                where += f"; a module is named without .py: {path.removesuffix('.py')}"
            raise InputError(f"{what} '{name}': no module '{path}'; {where}") from error
        raise InputError(f"{what} '{name}': its module needs '{error.name}', which is not installed") from error
    except SyntaxError as error:
        raise InputError(f"{what} '{name}': {error.filename} line {error.lineno}: {error.msg}") from error


def _script() -> str | None:
    """Returns the module's name under which the running script could be imported; None where there is no script."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    return Path(file).stem if file else None
