"""The top of a run's report: whether it is finished, its headline figures and what it was made of."""

import shlex
from typing import Any

from aplt.display import counted
from aplt.report.layout import facts, tile
from aplt.report.markup import Html, el, join
from aplt.report.tables import ROLES, Run
from aplt.report.words import ABSENT, duration, percent, share, wilson


def headline(run: Run) -> Html:
    """Returns the title, and a notice at once where the run is unfinished."""
    lines = [f"{run.method} on {run.encoder}", f"seed {run.seed}"]
    if run.counts:
        lines.append(f"{run.counts['labeled']:,d} labeled of {counted(sum(run.counts.values()), 'clip')}")
    return el(
        "header",
        el("p", "aplt run report", class_="kind"),
        el("h1", run.name),
        el("p", " · ".join(lines), class_="subtitle"),
        el("p", el("strong", "This run is unfinished: "), progress(run), class_="notice")
        if run.result is None
        else None,
    )


def progress(run: Run) -> str:
    """Returns how far an unfinished run is, as the rest of a sentence, and how it goes on."""
    planned = f" of {run.planned_rounds}" if run.planned_rounds else ""
    done = len(run.rounds)
    verb = "round is" if (run.planned_rounds or done) == 1 else "rounds are"
    rest = f"If it was stopped, aplt train --resume {shlex.quote(str(run.folder.path))} continues it."
    return f"{done}{planned} {verb} done and there is no result.json; this is what the folder holds so far. {rest}"


def summary(run: Run) -> Html:
    """Returns the headline figures and the facts below them."""
    return join([el("dl", *_tiles(run), class_="tiles"), _roles(run), facts(_facts(run))])


def _tiles(run: Run) -> list[Html]:
    tiles = []
    if run.result is not None:
        tiles += _test_tiles(run, run.result)
    elif run.watched_role is not None:
        watched = next(line["watched"] for line in reversed(run.rounds) if line.get("watched"))
        note = f"on the {watched['role']} clips, after the last round so far"
        tiles.append(tile("Watched top-1 accuracy", percent(watched["top1"]), note))
        tiles.append(tile("Watched macro F1", percent(watched.get("macro_f1")), note))
    pseudo = run.last_pseudo
    if pseudo is not None:
        accepted, known = sum(pseudo["accepted"]), sum(pseudo["known"])
        note = f"{counted(accepted, 'pseudo-label')} accepted in the last round"
        if known < accepted:
            note += f"; {known:,d} of them with a known truth" if known else "; hidden truth unknown"
        tiles.append(tile("Pseudo-label precision", percent(pseudo.get("precision")), note))
        tiles.append(tile("Pseudo-label coverage", percent(pseudo["coverage"]), "of the unlabeled clips, last round"))
    spent = run.seconds
    offline = share(spent["offline"], spent["total"])
    note = f"{percent(offline)} of it offline" if spent["offline"] else "no offline phase"
    tiles.append(tile("Time", duration(spent["total"]), note))
    return tiles


def _test_tiles(run: Run, result: dict[str, Any]) -> list[Html]:
    if result.get("top1") is None:
        missing = "no test clip has a label" if result["counts"]["test"] else "this run has no test clips"
        return [tile("Test top-1 accuracy", ABSENT, missing)]
    low, high = wilson(result["top1"], run.scored)
    interval = f"95\u00a0% interval {low * 100:.1f} to {percent(high)}, {counted(run.scored, 'clip')}"
    if unscored := result["counts"]["test"] - run.scored:
        interval += f"; {unscored:,d} more without a label"
    tiles = [tile("Test top-1 accuracy", percent(result["top1"]), interval)]
    if result["top5"] is not None:
        tiles.append(tile("Test top-5 accuracy", percent(result["top5"]), f"{result['counts']['classes']} classes"))
    return [*tiles, tile("Test macro F1", percent(result.get("macro_f1")), "mean F1 over classes")]


def _roles(run: Run) -> Html | None:
    counts = run.counts
    if not counts or not sum(counts.values()):
        return None
    shown = [role for role in ROLES if counts[role]]
    track = [el("span", class_=role, style=f"flex-grow:{counts[role]}") for role in shown]
    items = [el("li", f"{role} {counts[role]:,d}", class_=role) for role in shown]
    bar = el("div", *track, class_="track", aria_hidden="true")
    return el("div", bar, el("ul", *items, aria_label="Clips by role"), class_="roles")


def _facts(run: Run) -> list[tuple[str, str | None]]:
    result, counts, spent = run.result or {}, run.counts, run.seconds
    labeled = None
    if counts:
        training = counts["labeled"] + counts["unlabeled"]
        labeled = f"{counts['labeled']:,d} of {counted(training, 'clip')} for training"
        labeled += f" ({percent(share(counts['labeled'], training))})"
        if result.get("labeled_fraction") is not None:
            labeled += f", {percent(result['labeled_fraction'])} of those whose label is known"
        if result.get("labeled_asked") is not None:
            labeled += f"; asked for {percent(result['labeled_asked'])}"
    val = result.get("val")
    validation = None
    if val:
        named = {"top-1": val["top1"], "top-5": val["top5"], "macro F1": val["macro_f1"]}
        validation = ", ".join(f"{name} {percent(figure)}" for name, figure in named.items() if figure is not None)
    phases = ", ".join(
        f"{phase} {duration(spent[phase])} ({percent(share(spent[phase], spent['total']))})"
        for phase in ("offline", "online", "evaluation")
        if spent.get(phase)
    )
    interval = None
    if result.get("top1") is not None:
        interval = (
            "Wilson's, for these test clips; it knows nothing of other seeds, nor that one person's clips are alike"
        )
    parameters = result.get("parameters")
    return [
        ("Labels", labeled),
        ("Validation", validation),
        ("Time by phase", phases or None),
        (
            "Model",
            f"{counted(parameters, 'parameter')}, {counted(result['steps'], 'step')}" if parameters else None,
        ),
        ("95\u00a0% interval", interval),
    ]
