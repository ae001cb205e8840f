"""The report of one run: report.html in its folder, written by `aplt report runs/NAME` and at a run's end."""

import shlex
from pathlib import Path

from aplt.clips import ROLES
from aplt.display import counted
from aplt.figures import MAIN_FIGURES, Figures
from aplt.record import PHASES, Result
from aplt.report.bank import feature_map
from aplt.report.beside import helped
from aplt.report.html import (
    Cell,
    Html,
    el,
    facts,
    fixed_cell,
    heading,
    join,
    number_cell,
    page,
    share_cell,
    table,
    tile,
)
from aplt.report.mistakes import confusions, mistakes, suspected
from aplt.report.pictures import Album, Clips
from aplt.report.rounds import curves, thresholds
from aplt.report.run import Run, read_run
from aplt.report.trust import reliability
from aplt.report.words import ABSENT, duration, fixed, percent, share, wilson
from aplt.storage import write_alone

MOST_NAMED = 12


def write_report(run: Path, *, beside: Path | None = None, clips: Clips | None = None) -> Path:
    """Writes report.html into a run folder, finished or not, and returns its path.

    `beside` is the folder of another run with the same test clips, to be compared with; `clips` what may be shown of
    the clips, None: nothing.
    """
    read = read_run(run)
    write_alone(read.folder.report, report_html(read, None if beside is None else read_run(beside), clips))
    return read.folder.report


def report_html(run: Run, beside: Run | None, clips: Clips | None) -> str:
    """Returns the whole page."""
    album = Album(clips)
    parts = [
        ("gain", "Did the unlabeled clips help?", helped(run, beside)),
        ("curves", "Learning, round by round", curves(run, beside)),
        ("thresholds", "Thresholds", thresholds(run)),
        ("classes", "Classes", _classes(run)),
        ("confusions", "Confusions", confusions(run, album)),
        ("mistakes", "Most confident mistakes", mistakes(run, album)),
        ("suspected", "Suspected wrong labels", suspected(run, clips, album)),
        ("trust", "What a score is worth", reliability(run)),
        ("map", "The clips as the model sees them", feature_map(run, clips.given if clips else {})),
        ("settings", "Settings and origin", _settings(run)),
    ]
    lines = [f"{run.told('method')} on {run.told('encoder')}", f"seed {run.told('seed')}"]
    if run.counts:
        lines.append(f"{run.counts['labeled']:,d} labeled of {counted(sum(run.counts.values()), 'clip')}")
    notice = None
    if run.result is None:
        notice = el("p", el("strong", "This run is unfinished: "), _progress(run), class_="notice")
    unseen = f"none: {clips.missing}" if clips and clips.missing else None
    summary = [
        el("dl", *_tiles(run), class_="tiles"),
        _roles(run),
        facts([*_facts(run), ("Pictures of clips", unseen)]),
    ]
    title = f"{run.name} – aplt report"  # noqa: RUF001
    return page(title, heading("aplt run report", run.name, lines, notice), parts, summary)


def _progress(run: Run) -> str:
    """Returns how far an unfinished run is, as the rest of a sentence, and how it goes on."""
    planned = f" of {run.planned_rounds}" if run.planned_rounds else ""
    done = len(run.rounds)
    verb = "round is" if (run.planned_rounds or done) == 1 else "rounds are"
    rest = f"If it was stopped, aplt train --resume {shlex.quote(str(run.folder.path))} continues it."
    return f"{done}{planned} {verb} done and there is no result.json; this is what the folder holds so far. {rest}"


def _tiles(run: Run) -> list[Html]:
    tiles = []
    if run.result is not None:
        tiles += _test_tiles(run.result)
    elif run.last_watched is not None:
        note = f"on the {run.last_watched.role} clips, after the last round so far"
        tiles += [
            tile(f"Watched {figure.title}", percent(value), note) for figure, value in run.last_watched.figures.shown()
        ]
    pseudo = run.last_pseudo
    if pseudo is not None:
        accepted, known = sum(pseudo.accepted), sum(pseudo.known)
        note = f"{counted(accepted, 'pseudo-label')} accepted in the last round"
        if known < accepted:
            note += f"; {known:,d} of them with a known truth" if known else "; hidden truth unknown"
        tiles.append(tile("Pseudo-label precision", percent(pseudo.precision), note))
        tiles.append(tile("Pseudo-label coverage", percent(pseudo.coverage), "of the unlabeled clips, last round"))
    spent = run.seconds
    note = f"{percent(share(spent.offline, spent.total))} of it offline" if spent.offline else "no offline phase"
    tiles.append(tile("Time", duration(spent.total), note))
    return tiles


def _test_tiles(result: Result) -> list[Html]:
    figures = result.test
    if figures is None or not figures.clips:
        missing = "no test clip has a label" if result.counts.test else "this run has no test clips"
        return [tile("Test top-1", ABSENT, missing)]
    low, high = wilson(figures.top1, figures.clips)
    notes = {
        "top1": f"95\u00a0% interval {low * 100:.1f} to {percent(high)}, {counted(figures.clips, 'clip')}",
        "top5": f"{result.counts.classes} classes",
        "macro_f1": "mean F1 over classes",
        "group_top1": "the class's group is right",
        "f1_mean": "of classes and groups, macro and micro",
    }
    if unscored := result.counts.test - figures.clips:
        notes["top1"] += f"; {unscored:,d} more without a label"
    return [
        tile(f"Test {figure.title}", percent(value), notes.get(name, ""))
        for name, figure in MAIN_FIGURES.items()
        if (value := getattr(figures, name)) is not None
    ]


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
    result, counts, spent = run.result, run.counts, run.seconds
    labeled = None
    if counts:
        training = counts["labeled"] + counts["unlabeled"]
        labeled = f"{counts['labeled']:,d} of {counted(training, 'clip')} for training"
        labeled += f" ({percent(share(counts['labeled'], training))})"
    phases = ", ".join(
        f"{phase} {duration(seconds)} ({percent(share(seconds, spent.total))})"
        for phase in PHASES
        if (seconds := getattr(spent, phase))
    )
    if result is None:
        return [("Labels", labeled), ("Time by phase", phases or None)]
    labeled = f"{labeled}, {percent(result.labeled_fraction)} of those whose label is known"
    if result.labeled_asked is not None:
        labeled += f"; asked for {percent(result.labeled_asked)}"
    interval = "Wilson's, for these test clips; it knows nothing of other seeds, nor that one person's clips are alike"
    return [
        ("Labels", labeled),
        ("Test, besides", _told(result.test, main=False)),
        ("Validation", _told(result.val)),
        ("Unlabeled clips of known label", _told(result.unlabeled)),
        ("Time by phase", phases or None),
        ("Model", f"{counted(result.parameters, 'parameter')}, {counted(result.steps, 'step')}"),
        ("95\u00a0% interval", interval if result.test else None),
    ]


def _told(figures: Figures | None, *, main: bool = True) -> str | None:
    if figures is None:
        return None
    shown = figures.shown(main=main)
    return ", ".join(f"{one.title} {percent(value) if one.share else fixed(value)}" for one, value in shown)


def _classes(run: Run) -> Html | None:
    if not run.classes:
        return None
    result, pseudo = run.result, run.last_pseudo
    scored = {one.name: one for one in result.test.per_class} if result and result.test else {}
    cells = [
        [
            Cell(name),
            number_cell(result.labeled_per_class[k] if result else None),
            number_cell(getattr(scored.get(name), "clips", None)),
            *(share_cell(getattr(scored.get(name), figure, None)) for figure in ("precision", "recall")),
            share_cell(getattr(scored.get(name), "f1", None), bar=True),
            number_cell(pseudo.accepted[k] if pseudo else None),
            share_cell(share(pseudo.correct[k], pseudo.known[k]) if pseudo else None, bar=True),
            fixed_cell(pseudo.threshold[k] if pseudo else None),
        ]
        for k, name in enumerate(run.classes)
    ]
    columns = ["Class", "Labeled clips", "Test clips", "Precision", "Recall", "F1"]
    columns += ["Accepted pseudo-labels", "Their precision", "Threshold"]
    caption = "Labels used, test figures and pseudo-labels of the last round by class; click a header to sort."
    if result is None:
        caption += " Class names follow when the run is finished."
    return join([_untaught(run), table(caption, columns, cells, kind="by-class")])


def _untaught(run: Run) -> Html | None:
    """Returns a remark on classes of which the unlabeled clips taught nothing in the last round."""
    pseudo = run.last_pseudo
    names = [name for name, count in zip(run.classes, pseudo.accepted if pseudo else (), strict=False) if not count]
    if not names:
        return None
    shown = ", ".join(names[:MOST_NAMED]) + (
        f" and {len(names) - MOST_NAMED:,d} more" if len(names) > MOST_NAMED else ""
    )
    lead = f"{counted(len(names), 'class has', 'classes have')} no accepted pseudo-label: "
    rest = ". In the last round the unlabeled clips taught nothing of them; labels of such clips would help most."
    return el("p", el("strong", lead), shown, rest, class_="notice")


def _settings(run: Run) -> Html | None:
    parts: list[Html] = []
    if run.config_text is not None:
        summary_ = el("summary", "config.yaml: every setting; ", el("code", "aplt train"), " on it repeats the run")
        parts.append(el("details", summary_, el("pre", el("code", run.config_text))))
    if run.result is not None:
        for title, pairs in (("Versions", run.result.versions), ("Digests", run.result.digests)):
            parts.append(el("div", el("h3", title), facts(list(pairs.items()))))
    return join(parts) if parts else None
