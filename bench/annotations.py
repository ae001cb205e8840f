"""Round trips of real files of ELAN's and BORIS': what is lost of them when events are added to a copy.

    python -m bench.annotations FILE.eaf PROJECT.boris ... [--schema EAFv3.0.xsd] -o FOLDER

Prints, for each file, what its copy lacks and has more. An XML schema is checked against where the package xmlschema is
installed. The copies stay in FOLDER, so that the programs themselves can open them.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from aplt.clips import Clip
from aplt.data.formats.elan import linked
from aplt.data.recordings import events_table
from aplt.runs.annotation_files import to_boris, to_elan
from aplt.runs.timeline import Recording

EVENTS = [(1.0, 2.5, "added", 0.75), (3.0, 4.0, "added too", 0.5)]


def main(files: list[Path], folder: Path, schema: Path | None) -> None:
    """Adds two events to a copy of each file and compares it with the original."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        is_elan = path.suffix == ".eaf"
        copy = folder / path.name
        text = (to_elan if is_elan else to_boris)([recording(path)], path.parent / copy.name, path)
        copy.write_text(text, encoding="utf-8")
        before, after = (Counter(pieces(one)) for one in (path, copy))
        print(f"{path.name}: {sum(before.values())} pieces, lost {sum((before - after).values())}", end="")
        print(f", added {sum((after - before).values())}")
        for piece, _ in (before - after).most_common(5):
            print(f"  lost: {piece}")
        if is_elan and schema is not None:
            import xmlschema

            rules = xmlschema.XMLSchema(str(schema))
            errors = [len(list(rules.iter_errors(str(one)))) for one in (path, copy)]
            print(f"  by the schema: {errors} errors before, after")


def recording(path: Path) -> Recording:
    """Returns two events in the recording that a file of ELAN's links, or in any."""
    name = "recording.npz"  # of a video the rate would be asked
    if path.suffix == ".eaf":
        media = [one.attrib for one in ET.parse(path).getroot().iter("MEDIA_DESCRIPTOR")]
        name = next((places[-1].name for places, _ in linked(media, path)), name)
    file = path.parent / name
    return Recording(Clip(name, file), 10.0, events_table((name, *event) for event in EVENTS))


def pieces(path: Path) -> Iterator[str]:
    """Yields each piece of a file with the way to it: each element of XML, each value of JSON."""
    if path.suffix == ".eaf":
        reader = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True, insert_pis=True))
        yield from _of_xml(ET.parse(path, reader).getroot(), "")
    else:
        yield from _of_json(json.loads(path.read_text(encoding="utf-8")), "")


def _of_xml(element: ET.Element, above: str) -> Iterator[str]:
    name = element.tag if isinstance(element.tag, str) else "comment"
    way = f"{above}/{name}[{element.get('TIER_ID', '')}]"
    yield f"{way} {sorted(element.attrib.items())} {(element.text or '').strip()!r}"
    for child in element:
        yield from _of_xml(child, way)


def _of_json(value: Any, above: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _of_json(inside, f"{above}/{key}")
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from _of_json(inside, f"{above}/{number}")
    else:
        yield f"{above} = {value!r}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--schema", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("build/annotations"))
    options = parser.parse_args()
    main(options.files, options.output, options.schema)
