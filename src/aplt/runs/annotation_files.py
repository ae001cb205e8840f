"""Events as files of ELAN and BORIS: new ones, or what is added to a copy of a person's own.

The copy has everything of the original; what is added is a tier, or an observation, of its own, named aplt. ELAN's are
edited as XML and not by the package that reads them, since that drops attributes which it does not know.
"""

import json
import mimetypes
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from aplt.clips import Clip
from aplt.data.formats.annotated import OWN
from aplt.data.formats.elan import linked
from aplt.data.modality import modality_of_clip
from aplt.data.video import about_seconds, frame_rate
from aplt.errors import InputError
from aplt.runs.timeline import Recording
from aplt.storage import read_json, reason, seen_from

Event = tuple[float, float, str, float]
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
ASSOCIATED = "Symbolic_Association"
BORIS_FORMAT = "7.0"


def to_elan(recordings: Sequence[Recording], output: Path, original: Path | None = None) -> str:
    """Returns a file of ELAN's with the events in a tier, and their scores in one that refers to it.

    Args:
        recordings: Parts of one file, as `require_fit` makes sure.
        output: Where it will be written; links to the recording are relative to it.
        original: The file that they are added to.

    Raises:
        InputError: the original does not link the file, or cannot be read.
    """
    ((path, events),) = _by_file(recordings).items()
    ET.register_namespace("xsi", XSI)
    if original is None:
        root, origin = _new_document(path, output), 0.0
    else:
        try:
            parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True, insert_pis=True))
            root = ET.parse(original, parser).getroot()
        except ET.ParseError as error:
            raise InputError(f"{original}: cannot be read as a file of ELAN's ({reason(error)})") from error
        origin = _origin(root, original, path)
        if original.resolve().parent != output.resolve().parent:
            for descriptor in root.iter("MEDIA_DESCRIPTOR"):
                if link := descriptor.get("RELATIVE_MEDIA_URL"):
                    place = original.parent / link.removeprefix("file:").lstrip("/")
                    descriptor.set("RELATIVE_MEDIA_URL", seen_from(place, output))
    _add_tiers(root, [(start - origin, end - origin, label, score) for start, end, label, score in events])
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def to_boris(recordings: Sequence[Recording], output: Path, original: Path | None = None) -> str:
    """Returns a project of BORIS' with an observation for each file; scores are comments. See `to_elan`.

    Behaviors that the original lacks are added as states; those that are points in it stay so, in the middle of the
    event.
    """
    now = datetime.now().isoformat(timespec="seconds")
    project = _new_project(now) if original is None else read_json(original)
    try:
        coded = {one["code"]: one["type"] for one in project["behaviors_conf"].values()}
        observations = project["observations"]
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{original}: no project of BORIS' ({type(error).__name__}: {error})") from error
    for path, events in _by_file(recordings).items():
        marks: list[list[Any]] = []
        for start, end, label, score in events:
            if label not in coded:
                coded[label] = "State event"
                number = max(map(int, project["behaviors_conf"]), default=-1) + 1
                project["behaviors_conf"][str(number)] = _behavior(label)
            moments = [start, end] if "state" in coded[label].lower() else [(start + end) / 2]
            marks += [[round(moment, 3), "", label, "", f"score {score:.4f}"] for moment in moments]
        file = seen_from(path, output)
        name = _free(f"{OWN} {path.stem}", observations)
        parts = [one for one in recordings if one.clip.path == path]
        first = min(one.clip.start or 0.0 for one in parts)
        last = max((one.clip.start or 0.0) + one.seconds for one in parts)
        observations[name] = _observation(file, path, (first, last), sorted(marks), now)
    return json.dumps(project, indent=1) + "\n"


def _by_file(recordings: Iterable[Recording]) -> dict[Path, list[Event]]:
    found: dict[Path, list[Event]] = {}
    for one in recordings:
        rows = one.events[["start", "end", "label", "score"]].itertuples(index=False, name=None)
        found.setdefault(one.clip.path, []).extend(rows)
    return {path: sorted(events) for path, events in found.items()}


def _free(name: str, taken: Iterable[str]) -> str:
    """Returns a name that is not taken yet, with a number behind it if need be."""
    there = set(taken)
    return next(one for one in chain([name], (f"{name}-{number}" for number in count(2))) if one not in there)


def _new_document(path: Path, output: Path) -> ET.Element:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    root = ET.Element("ANNOTATION_DOCUMENT", AUTHOR=OWN, DATE=now, FORMAT="3.0", VERSION="3.0")
    root.set(f"{{{XSI}}}noNamespaceSchemaLocation", SCHEMA)
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    kind, link = mimetypes.guess_type(path.name)[0] or "unknown", seen_from(path, output)
    ET.SubElement(
        header, "MEDIA_DESCRIPTOR", MEDIA_URL=path.resolve().as_uri(), MIME_TYPE=kind, RELATIVE_MEDIA_URL=link
    )
    ET.SubElement(root, "TIME_ORDER")
    ET.indent(root, "    ")
    return root


def _origin(root: ET.Element, original: Path, recording: Path) -> float:
    """Returns at which second of a recording, which it must link, the time of a file of ELAN's begins."""
    names = []
    for places, origin in linked((one.attrib for one in root.iter("MEDIA_DESCRIPTOR")), original):
        names.append(places[-1].name)
        if any(place.stem == recording.stem for place in places):
            return origin
    raise InputError(f"{original}: links {', '.join(names) or 'no recording'}, but the events are of {recording}")


def _add_tiers(root: ET.Element, events: Sequence[Event]) -> None:
    """Adds two tiers to a document; its time slots stay in order, and its annotations have numbers of their own."""
    tiers = {str(tier.get("TIER_ID")): tier for tier in root.iter("TIER")}
    name = _free(OWN, tiers)
    types = {str(one.get("LINGUISTIC_TYPE_ID")) for one in root.iter("LINGUISTIC_TYPE")}
    kind, score_kind = (_free(wanted, types) for wanted in (OWN, f"{OWN} score"))
    order = root.find("TIME_ORDER")
    if order is None:
        order = ET.SubElement(root, "TIME_ORDER")
    slots = [(slot, slot.get("TIME_VALUE")) for slot in order]
    times = sorted({round(1000 * max(0.0, moment)) for event in events for moment in event[:2]})
    number = count(_last(root.iter("TIME_SLOT"), "TIME_SLOT_ID") + 1)
    slot_of = {time: f"ts{next(number)}" for time in times}
    made = {time: ET.Element("TIME_SLOT", TIME_SLOT_ID=id_, TIME_VALUE=str(time)) for time, id_ in slot_of.items()}
    merged: list[ET.Element] = []
    for slot, value in slots:
        while value is not None and times and times[0] < int(value):
            merged.append(made[times.pop(0)])
        merged.append(slot)
    order[:] = [*merged, *(made[time] for time in times)]
    annotations = [one for kind_ in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION") for one in root.iter(kind_)]
    number = count(_last(annotations, "ANNOTATION_ID") + 1)
    tier = ET.Element("TIER", LINGUISTIC_TYPE_REF=kind, TIER_ID=name)
    scores = ET.Element("TIER", LINGUISTIC_TYPE_REF=score_kind, PARENT_REF=name, TIER_ID=f"{name} score")
    for start, end, label, score in events:
        first, last = (round(1000 * max(0.0, moment)) for moment in (start, end))
        if first == last:
            continue
        id_ = f"a{next(number)}"
        slots_ = {"TIME_SLOT_REF1": slot_of[first], "TIME_SLOT_REF2": slot_of[last]}
        _annotate(tier, "ALIGNABLE_ANNOTATION", label, ANNOTATION_ID=id_, **slots_)
        _annotate(scores, "REF_ANNOTATION", f"{score:.4f}", ANNOTATION_ID=f"a{next(number)}", ANNOTATION_REF=id_)
    for used in root.iter("PROPERTY"):
        if used.get("NAME") == "lastUsedAnnotationId":  # from which ELAN numbers on
            used.text = str(next(number) - 1)
    before = ["LICENSE", "HEADER", "TIME_ORDER", "TIER"]
    _insert(root, before, tier, scores)
    before.append("LINGUISTIC_TYPE")
    plain = ET.Element("LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID=kind, TIME_ALIGNABLE="true")
    referring = {"CONSTRAINTS": ASSOCIATED, "LINGUISTIC_TYPE_ID": score_kind, "TIME_ALIGNABLE": "false"}
    _insert(root, before, plain, ET.Element("LINGUISTIC_TYPE", {"GRAPHIC_REFERENCES": "false", **referring}))
    if not any(one.get("STEREOTYPE") == ASSOCIATED for one in root.iter("CONSTRAINT")):
        what = "1-1 association with a parent annotation"
        rule = ET.Element("CONSTRAINT", DESCRIPTION=what, STEREOTYPE=ASSOCIATED)
        _insert(root, [*before, "LOCALE", "LANGUAGE", "CONSTRAINT"], rule)


def _annotate(tier: ET.Element, kind: str, value: str, **attributes: str) -> None:
    annotation = ET.SubElement(ET.SubElement(tier, "ANNOTATION"), kind, attributes)
    ET.SubElement(annotation, "ANNOTATION_VALUE").text = value


def _insert(root: ET.Element, before: Sequence[str], *made: ET.Element) -> None:
    """Inserts elements behind the last one of these names: the order of a document's parts is fixed."""
    place = max((number + 1 for number, one in enumerate(root) if one.tag in before), default=0)
    for element in made:
        ET.indent(element, "    ", level=1)
        element.tail = root[place - 1].tail if place else None
    root[place:place] = made


def _last(elements: Iterable[ET.Element], attribute: str) -> int:
    return max((int("0" + "".join(filter(str.isdecimal, one.get(attribute, "")))) for one in elements), default=0)


def _new_project(now: str) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: {} for name in ("subjects_conf", "behaviors_conf", "observations", "independent_variables")
    }
    kept |= {"behavioral_categories": [], "coding_map": {}, "behaviors_coding_map": [], "converters": {}}
    about = {
        "project_date": now,
        "project_name": OWN,
        "project_description": "",
        "project_format_version": BORIS_FORMAT,
    }
    return {"time_format": "hh:mm:ss", **about, **kept}


def _behavior(code: str) -> dict[str, Any]:
    empty = dict.fromkeys(("key", "description", "color", "category", "excluded", "coding map"), "")
    return {"type": "State event", "code": code, "modifiers": {}, **empty}


def _observation(file: str, path: Path, read: tuple[float, float], marks: list[list[Any]], now: str) -> dict[str, Any]:
    clip = Clip(str(path), path)
    video = modality_of_clip(clip).name == "video"
    rate = round(frame_rate(clip), 3) if video else 0.0
    length = max((about_seconds(clip) if video else None) or 0.0, read[1])
    part = [round(second, 3) for second in read] if read[0] > 0 or length - read[1] > 1 else [0, 0]  # 0, 0: all
    info = {"length": round(length, 3), "fps": rate, "hasVideo": True, "hasAudio": False}
    return {
        "type": "MEDIA",
        "date": now,
        "description": "predicted by aplt",
        "file": {str(player): [file] if player == 1 else [] for player in range(1, 9)},
        "media_info": {**{name: {file: value} for name, value in info.items()}, "offset": {"1": 0.0}},
        "events": marks,
        "time offset": 0.0,
        "observation time interval": part,
        "independent_variables": {},
        **dict.fromkeys(("visualize_spectrogram", "visualize_waveform", "close_behaviors_between_videos"), False),
    }
