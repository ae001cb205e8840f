"""`aplt recipes`: the methods."""


def recipes() -> None:
    """List the methods."""
    from aplt.methods.catalog import RECIPES

    width = max(map(len, RECIPES))
    for name, recipe in RECIPES.items():
        print(f"{name:{width}}  {recipe.summary} ({recipe.source})")
