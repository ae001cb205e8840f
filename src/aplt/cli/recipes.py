"""`aplt recipes`: the methods."""

from aplt.cli.printing import say


def recipes() -> None:
    """List the methods."""
    from aplt.methods.catalog import METHODS

    width = max(map(len, METHODS))
    say("methods (--method):")
    for name, method in METHODS.items():
        say(f"  {name:{width}}  {method.summary} ({method.source})")
    say("encoders (--encoder): `aplt encoders` lists them")
