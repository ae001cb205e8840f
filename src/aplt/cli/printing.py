"""What the commands print: lines in which names are text and no more, and JSON for scripts."""

import sys
from collections import Counter
from json import dumps
from typing import TYPE_CHECKING, Any

from aplt.display import plain
from aplt.parallel import is_main

if TYPE_CHECKING:
    from aplt.clips import ClipIndex


def say(line: str) -> None:
    """Prints a line of results to standard output; of several processes the main one does."""
    if is_main():
        print(plain(line))


def say_lines(text: str) -> None:
    """Prints text of several lines to standard output; of several processes the main one does."""
    if is_main():
        print(plain(text, keep="\n"))


def say_classes(index: "ClipIndex") -> None:
    """Prints each class with its group, if it has one, and its number of clips."""
    count = Counter(index.labels.tolist())
    for label, name in enumerate(index.class_names):
        say(f"  {name}{f' ({index.groups[label]})' if index.groups else ''}: {count[label]}")


def remark(line: str) -> None:
    """Prints a line about the results, or why there are none, to standard error."""
    print(f"aplt: {plain(line)}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Prints a value as JSON; letters that the output cannot encode are escaped, so that none is lost."""
    text = dumps(value, default=str, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = dumps(value, default=str, indent=2)
    if is_main():
        print(text)
