"""`aplt recipes`: the methods and the encoders."""

from aplt.cli.printing import say


def recipes() -> None:
    """List the methods and the encoders."""
    from aplt.methods.catalog import METHODS
    from aplt.models.encoders import ENCODERS

    width = max(map(len, [*METHODS, *ENCODERS]))
    say("methods (--method):")
    for name, method in METHODS.items():
        say(f"  {name:{width}}  {method.summary} ({method.source})")
    say("encoders (--encoder):")
    for name, encoder in ENCODERS.items():
        weights = "; published weights" if encoder.weights else ""
        say(f"  {name:{width}}  {encoder.modality}: {encoder.summary}{weights}")
