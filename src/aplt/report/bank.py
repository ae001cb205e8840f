"""A map of the feature bank: the training clips as the final model sees them, on two axes."""

from collections.abc import Mapping

import numpy as np

from aplt.display import counted
from aplt.report.charts import COLORS, drawing
from aplt.report.html import Html, el, figure, join
from aplt.report.run import Run
from aplt.report.words import fixed, percent

MOST = 2000
"""Points; a browser draws more only slowly."""
WIDE, TALL, EDGE = 760.0, 460.0, 12.0


def feature_map(run: Run, given: Mapping[str, str]) -> Html | None:
    """Returns the map, each point of which names its clip; `given` are the given labels by id, as far as known."""
    bank = run.bank
    if bank is None or len(bank.ids) < 3:
        return None
    if not np.isfinite(bank.feature).all():
        return el("p", "The features hold values that are no finite numbers, so there is no map.", class_="missing")
    shown = np.arange(len(bank.ids))
    if len(shown) > MOST:
        # The labeled clips first: they are few, and what the others are compared with.
        shown = np.concatenate([shown[: bank.labeled], np.random.default_rng(0).permutation(shown[bank.labeled :])])
        shown = shown[:MOST]
    place, held = _principal(bank.feature[shown])
    place = (EDGE, TALL - EDGE) + place * (WIDE - 2 * EDGE, 2 * EDGE - TALL)
    names, guess, score = run.classes, bank.probability.argmax(axis=1), bank.probability.max(axis=1)
    number = {name: k for k, name in enumerate(names)}
    drawn: list[list[Html]] = [[] for _ in names]
    # The labeled ones last: drawn above the others.
    for (x, y), clip in zip(place[::-1].tolist(), shown[::-1].tolist(), strict=True):
        id_, labeled = bank.ids[clip], clip < bank.labeled
        said = f"taken for {names[guess[clip]]}, score {fixed(float(score[clip]))}"
        if labeled:
            said = f"labeled {given[id_]}, {said}" if id_ in given else f"labeled, {said}"
        k = number.get(given.get(id_, ""), guess[clip]) if labeled else guess[clip]
        kind = {"r": 5, "class_": "given"} if labeled else {"r": 3}
        drawn[k].append(el("circle", el("title", f"{id_}: {said}"), cx=round(x, 1), cy=round(y, 1), **kind))
    groups = [el("g", *own, data_class=k, **_color(k, len(names))) for k, own in enumerate(drawn)]
    dot = el("circle", cx=7, cy=7, r=5)
    legend = []
    for k, name in enumerate(names):
        sign = el(
            "svg", el("g", dot, **_color(k, len(names))), class_="swatch dot", viewBox="0 0 14 14", aria_hidden="true"
        )
        legend.append(el("li", sign, name, data_class=k))
    of = "" if len(shown) == len(bank.ids) else f" of {len(bank.ids):,d}"
    caption = (
        f"{counted(len(shown), 'training clip')}{of} as the final model sees them, along the two directions in which "
        f"their features differ most (principal components, {percent(held)} of the variance): near ones are alike to "
        "the model, though what is apart in other directions may lie together here. Labeled clips are large and "
        "ringed, in the color of their label; the others have that of the class they are taken for. Point at a clip "
        "for its name, at a class in the legend to see it alone."
    )
    spoken = f"Map of {counted(len(shown), 'clip')} in {counted(len(names), 'class', 'classes')}"
    svg = drawing(groups, WIDE, TALL, spoken, "bank")
    return figure("Map of the features", join([el("ul", *legend, class_="legend"), svg]), caption)


def _color(k: int, count: int) -> dict[str, str]:
    # Beyond the colors that all can tell apart, the hue turns by the golden angle from class to class.
    return {"class_": f"s{k}"} if count <= COLORS else {"style": f"color:hsl({k * 137.5 % 360:.0f} 60% 48%)"}


def _principal(feature: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the first two principal components [n, 2], each from 0 to 1, and their share of the variance."""
    centered = feature - feature.mean(axis=0)
    left, size, _ = np.linalg.svd(centered, full_matrices=False)
    axes = np.zeros((len(feature), 2))
    axes[:, : min(2, len(size))] = (left * size)[:, :2]
    reach = axes.max(axis=0) - axes.min(axis=0)
    total = float((size**2).sum())
    return (axes - axes.min(axis=0)) / np.maximum(reach, 1e-9), float((size[:2] ** 2).sum()) / total if total else 1.0
