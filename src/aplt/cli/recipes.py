"""`aplt recipes`: the methods."""


def recipes() -> None:
    """List the methods."""
    from aplt.methods.catalog import METHODS

    width = max(map(len, METHODS))
    for name, method in METHODS.items():
        print(f"{name:{width}}  {method.summary} ({method.source})")
