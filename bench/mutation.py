"""Mutation testing: plants small faults in the source one at a time and lists those that no test notices.

    python bench/mutation.py src/aplt/offline src/aplt/methods/aplt.py --every 3 -o survivors.txt

The tests of src/aplt/X/... are those in tests/X, those of src/aplt/X.py are tests/test_X.py, unless --tests names
others. A first run notes which lines each test executes; a fault is then shown to the tests that execute its statement
(outside of functions: its module, and to those that are named after it), fast ones first. Libraries are imported once;
each fault has a forked process, in which an import hook puts the faulty module in place. What tests run in new
interpreters sees no fault. Every --every'th fault is tried.
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # and processes may be forked

import argparse
import ast
import gc
import json
import resource
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import pytest

IDLE = ("cacheprovider", "unraisableexception", "threadexception", "anyio")  # plugins that take time
PYTEST = ["-q", "-x", "--hypothesis-seed=0", *(f"-pno:{plugin}" for plugin in IDLE)]
# What each operator or name is exchanged for.
EXCHANGES = """
Lt LtE GtE, LtE Lt Gt, Gt GtE LtE, GtE Gt Lt, Eq NotEq, NotEq Eq, Is IsNot, IsNot Is, In NotIn, NotIn In,
Add Sub, Sub Add, Mult Div, Div Mult, FloorDiv Mult, Mod Mult, Pow Mult, BitAnd BitOr, BitOr BitAnd, And Or, Or And,
min max, max min, amin amax, amax amin, argmin argmax, argmax argmin, any all, all any, sum mean, mean sum,
ceil floor, floor ceil, zeros ones, ones zeros, zeros_like ones_like, ones_like zeros_like"""
OTHERS = {first: rest for first, *rest in map(str.split, EXCHANGES.split(","))}
DROPPED = {
    "detach",
    "clamp",
    "square",
    "sqrt",
    "rsqrt",
    "abs",
    "exp",
    "log",
    "double",
    "float",
    "clone",
    "flip",
    "eval",
}


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """Yields faulty versions of a node."""
    match node:
        case ast.Compare(left, [op], right):
            yield from (ast.Compare(left, [other], right) for other in exchanged(op))
        case ast.BinOp(left, op, right):
            yield from (ast.BinOp(left, other, right) for other in exchanged(op))
        case ast.BoolOp(op, values):
            yield from (ast.BoolOp(other, values) for other in exchanged(op))
        case ast.AugAssign(target, op, value):
            yield from (ast.Pass(), *(ast.AugAssign(target, other, value) for other in exchanged(op)))
        case ast.UnaryOp(ast.Not() | ast.USub() | ast.Invert(), operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield from map(ast.Constant, dict.fromkeys(n for n in (value + 1, value * 2, value * 0) if n != value))
        case ast.If(test, body, orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test, one, other):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), one, other)
        case ast.Name(name, context):
            yield from (ast.Name(other, context) for other in OTHERS.get(name, ()))
        case ast.Attribute(value, name, context):
            yield from (ast.Attribute(value, other, context) for other in OTHERS.get(name, ()))
        case ast.Call(function, arguments, keywords):
            if isinstance(function, ast.Attribute) and function.attr in DROPPED:
                yield function.value
            for gone in keywords:
                if gone.arg != "device":  # tests have one
                    yield ast.Call(function, arguments, [keyword for keyword in keywords if keyword is not gone])
        case ast.Expr(ast.Call()) | ast.Raise() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.FunctionDef() if "no_grad" in "".join(map(ast.unparse, node.decorator_list)):
            yield ast.FunctionDef(**{**vars(node), "decorator_list": []})
        case ast.With(items, body) if "no_grad" in "".join(map(ast.unparse, items)):
            yield ast.If(ast.Constant(True), body, [])


def exchanged(operator: Any) -> list[Any]:
    """Returns the operators that one is exchanged for."""
    return [getattr(ast, name)() for name in OTHERS.get(type(operator).__name__, ())]


class Mutant(NamedTuple):
    """A fault: the statement at `lines` of a file, or all of its module (None), behaves as `code`."""

    path: Path
    where: str
    lines: range | None
    code: CodeType


def mutants(path: Path) -> Iterator[Mutant]:
    """Yields every fault of a file. Annotations and messages of errors are left as they are."""
    tree = ast.parse(path.read_text())

    def walk(node: ast.AST, lines: range | None) -> Iterator[Mutant]:
        for name, field in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list") or isinstance(node, ast.Raise | ast.JoinedStr):
                continue
            nodes = field if isinstance(field, list) else [field]
            for at, child in enumerate(nodes):
                if not isinstance(child, ast.AST):
                    continue
                line = child.lineno if isinstance(child, ast.expr | ast.stmt) else 0
                inside = statement_lines(child, lines)
                for other in changed(child) if line else ():
                    ast.fix_missing_locations(ast.copy_location(other, child))
                    setattr(node, name, [*nodes[:at], other, *nodes[at + 1 :]] if isinstance(field, list) else other)
                    before, after = (ast.unparse(version).split("\n")[0] for version in (child, other))
                    where = f"{path.relative_to(Path.cwd())}:{line}: {before}  ->  {after}"
                    yield Mutant(path, where, inside, compile(tree, str(path), "exec"))
                    setattr(node, name, field)
                yield from walk(child, inside)

    return walk(tree, None)


def statement_lines(node: ast.AST, outer: range | None) -> range | None:
    """Returns the lines of a statement in a function (of a compound one, of its head), else those of what holds it."""
    if isinstance(node, ast.FunctionDef):
        return range(min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.body[0].lineno)
    if outer is None or not isinstance(node, ast.stmt):
        return outer
    body = getattr(node, "body", None)
    return range(node.lineno, body[0].lineno if body else (node.end_lineno or node.lineno) + 1)


class Watch:
    """A pytest plugin that notes how long each test takes, and the lines that it and its fixtures execute."""

    def __init__(self, sources: set[str]) -> None:
        self.sources, self.needs = sources, dict[str, list[str]]()
        # By test, or fixture that several tests share.
        self.lines, self.seconds = defaultdict[str, set[tuple[str, int]]](set), defaultdict[str, float](float)
        self.now = [""]  # which of them are under way

    def trace(self, frame: FrameType, *_: Any) -> Callable[..., Any] | None:  # noqa: D102 - see sys.settrace
        if frame.f_code.co_filename not in self.sources:
            return None
        self.lines[self.now[-1]].add((frame.f_code.co_filename, frame.f_lineno))
        return self.trace

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Function) -> Iterator[Any]:  # noqa: D102
        self.now, self.needs[item.nodeid] = [item.nodeid], item.fixturenames
        began = sum(os.times()[:4])
        result = yield
        self.seconds[item.nodeid] += sum(os.times()[:4]) - began
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[Any]:  # noqa: D102
        shared = fixturedef.scope != "function"
        self.now.append(fixturedef.argname if shared else self.now[-1])
        began = sum(os.times()[:4])
        result = yield
        self.now.pop()
        if shared:
            took = sum(os.times()[:4]) - began
            self.seconds[fixturedef.argname] += took
            self.seconds[self.now[-1]] -= took
        return result


class Only:
    """A pytest plugin that runs these tests alone, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self.order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:  # noqa: D102
        items[:] = sorted((i for i in items if i.nodeid in self.order), key=lambda item: self.order[item.nodeid])


class Faulty(SourceFileLoader):
    """Imports a file as the code of a mutant; as a finder it finds nothing else."""

    def __init__(self, mutant: Mutant) -> None:
        self.code, parts = mutant.code, mutant.path.with_suffix("").parts
        super().__init__(".".join(parts[parts.index("src") + 1 :]), str(mutant.path))

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:  # noqa: D102
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002, D102
        return self.code


def forked(work: Callable[[], int], seconds: float, log: Path) -> int | None:
    """Returns the exit status of `work` in a process of its own; None where it took longer, and was ended.

    It may take this many seconds of the processor; of those on the clock, five times as many.
    """
    child = os.fork()
    if child == 0:
        os.setpgrp()
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
        for stream in (1, 2):
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        try:
            os._exit(work())
        finally:
            os._exit(70)
    until = time.monotonic() + 5 * seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return None if code == -signal.SIGXCPU else code
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def look(files: list[Path], tests: list[str]) -> tuple[dict[str, float], dict[str, list[tuple[str, int]]]]:
    """Returns the seconds and the executed lines of each test, after importing the libraries that all of them need."""
    with tempfile.TemporaryDirectory() as folder:
        log, notes = Path(folder, "log"), Path(folder, "notes")

        def work() -> int:
            watch = Watch({str(file) for file in files})
            threading.settrace(watch.trace)
            sys.settrace(watch.trace)
            status = pytest.main([*PYTEST, *tests], plugins=[watch])
            sys.settrace(None)
            needed = {test: (test, *fixtures) for test, fixtures in watch.needs.items()}
            lines = {test: [*set().union(*(watch.lines[n] for n in names))] for test, names in needed.items()}
            seconds = {test: sum(watch.seconds[n] for n in names) for test, names in needed.items()}
            notes.write_text(json.dumps((seconds, lines, [*sys.modules])))
            return status

        if forked(work, 3600, log) != 0:
            sys.exit(f"without any fault:\n{log.read_text()}")
        seconds, lines, modules = json.loads(notes.read_text())
    for name in modules:
        if name.split(".")[0] not in ("aplt", "tests", "conftest", "__main__", "triton"):
            with suppress(Exception):
                import_module(name)
    gc.freeze()
    return seconds, lines


def tests_of(source: Path) -> str:
    """Returns where the tests of src/aplt/X/... or src/aplt/X.py are."""
    name = source.parts[source.parts.index("aplt", source.parts.index("src")) + 1]
    return str(Path("tests", f"test_{name}" if name.endswith(".py") else name))


def main() -> None:
    """Tries the faults and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, nargs="+", help="files or folders below src/aplt")
    parser.add_argument("--tests", nargs="+", help="files or folders, instead of those of the same names")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--longest", type=float, default=5, help="processor seconds of a test; others are left out")
    parser.add_argument("-o", "--output", type=Path, default=Path("survivors.txt"))
    options = parser.parse_args()
    files = [f.resolve() for s in options.sources for f in (sorted(s.rglob("*.py")) if s.is_dir() else [s])]
    sys.path.insert(0, str(Path("src").resolve()))
    seconds, lines = look(files, options.tests or [*dict.fromkeys(map(tests_of, files))])
    runs = defaultdict[tuple[str, int | None], set[str]](set)
    for test, executed in lines.items():
        for path, line in executed if seconds[test] <= options.longest else ():
            runs[path, line].add(test)
            runs[path, None].add(test)
    for file in files:  # what a module says outside of functions, such as a default, is read without executing a line
        runs[str(file), None].update(test for test in lines if f"/test_{file.stem}.py::" in test)
    table = defaultdict[str, Counter[str]](Counter)
    options.output.write_text("")
    for mutant in [m for file in files for m in mutants(file)][:: options.every]:
        at = [None] if mutant.lines is None else mutant.lines
        chosen = sorted(set().union(*(runs[str(mutant.path), line] for line in at)), key=lambda test: seconds[test])

        def work(mutant: Mutant = mutant, chosen: list[str] = chosen) -> int:
            sys.meta_path.insert(0, Faulty(mutant))
            paths = dict.fromkeys(test.split("::")[0] for test in chosen)
            return pytest.main([*PYTEST, *paths], plugins=[Only(chosen)])

        limit = 20 + 2 * sum(seconds[test] for test in chosen)
        status = forked(work, limit, Path(os.devnull)) if chosen else 0
        fate = "timed out" if status is None else "killed" if status else "survived" if chosen else "not run"
        for name in (mutant.where.split(":")[0], "all"):
            table[name][fate] += 1
        if status == 0:
            with options.output.open("a") as survivors:
                print(mutant.where, "" if chosen else "  (not run)", sep="", file=survivors)
        print("\r", *(f"{fate} {count}" for fate, count in table["all"].items()), end="", file=sys.stderr, flush=True)
    fates = ("killed", "timed out", "survived", "not run")
    print("", file=sys.stderr)
    print("file", "faults", *fates, sep="\t")
    for name in sorted(table, key="all".__eq__):
        print(name, table[name].total(), *(table[name][fate] for fate in fates), sep="\t")


if __name__ == "__main__":
    main()
