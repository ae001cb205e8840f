"""The address that `aplt review` prints."""

import pytest

from aplt.cli.review import filters, names_of
from aplt.errors import InputError

NAMES = ("nod", "shake", "wave")


def test_the_server_is_called_what_browsers_call_it() -> None:
    assert names_of("LabPC", 8642) == ("labpc:8642", "127.0.0.1:8642", "localhost:8642")
    assert names_of("localhost", 80) == ("127.0.0.1", "localhost")


def test_the_page_begins_with_what_is_asked_for() -> None:
    assert filters("all", [], NAMES) == ""
    assert filters("suspected", [], NAMES) == "&which=suspected"
    assert filters("all", ["wave", "nod"], NAMES) == "&class=2&beside=0"


@pytest.mark.parametrize(
    ("show", "classes", "said"),
    [("supected", [], "suspected"), ("all", ["nodd"], "'nod'"), ("all", list(NAMES), "found 3")],
)
def test_what_is_not_there_is_refused(show: str, classes: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        filters(show, classes, NAMES)
