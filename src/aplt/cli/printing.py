"""JSON for scripts, whatever the terminal can show."""

import sys
from json import dumps
from typing import Any


def print_json(value: Any) -> None:
    """Prints a value as JSON; letters that the output cannot encode are escaped, so that none is lost."""
    text = dumps(value, default=str, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = dumps(value, default=str, indent=2)
    print(text)
