"""What a user did that cannot work, said in one sentence; the command line prints it and exits with status 2."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A file, row, key or name from outside is not usable; the message is one sentence for the user."""


def suggest(name: str, names: Iterable[str], group: str = "") -> str:
    """Returns "; did you mean 'x'?" for a near match of `name`, otherwise the list of what is allowed.

    `group` is written before the near match where names are those of a group of settings, such as "train.".
    """
    known = sorted(names)
    folded = {one.casefold(): one for one in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"; did you mean '{group}{folded[close[0]]}'?" if close else f"; expected one of: {', '.join(known)}"
