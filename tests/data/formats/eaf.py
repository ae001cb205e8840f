"""Small files of ELAN's, which tests write themselves."""

from pathlib import Path

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="me" DATE="2026-01-01T10:00:00+01:00" FORMAT="3.0" VERSION="3.0" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
"""
FOOT = """    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="free" TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="refers" \
TIME_ALIGNABLE="false"/>
    <LOCALE COUNTRY_CODE="US" LANGUAGE_CODE="en"/>
    <CONTROLLED_VOCABULARY CV_ID="gestures"/>
</ANNOTATION_DOCUMENT>
"""
Aligned = tuple[int | None, int | None, str]


class Eaf:
    """Puts a file together: media, tiers of (start, end, value) in milliseconds, tiers of (parent's number, value)."""

    def __init__(self) -> None:
        self.media: list[str] = []
        self.slots: list[str] = []
        self.tiers: list[str] = []
        self.ids = 0

    def link(self, name: str, url: str = "", origin: int = 0) -> "Eaf":
        """Links a file by a relative address, and by another one."""
        offset = f' TIME_ORIGIN="{origin}"' if origin else ""
        relative = f' RELATIVE_MEDIA_URL="{name}"' if name else ""
        self.media.append(f'<MEDIA_DESCRIPTOR MEDIA_URL="{url}" MIME_TYPE="video/mp4"{relative}{offset}/>')
        return self

    def tier(self, name: str, *rows: Aligned, person: str = "") -> "Eaf":
        """Adds a tier; rows share a time slot with the one before where their time is not said."""
        found = ""
        slot = ""
        for start, end, value in rows:
            first = slot if start is None else self._slot(start)
            slot = self._slot(end)
            self.ids += 1
            found += (
                f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{self.ids}" CVE_REF="kept" '
                f'TIME_SLOT_REF1="{first}" TIME_SLOT_REF2="{slot}"><ANNOTATION_VALUE>{value}</ANNOTATION_VALUE>'
                "</ALIGNABLE_ANNOTATION></ANNOTATION>"
            )
        who = f' PARTICIPANT="{person}"' if person else ""
        self.tiers.append(f'<TIER LINGUISTIC_TYPE_REF="free"{who} TIER_ID="{name}">{found}</TIER>')
        return self

    def refers(self, name: str, parent: str, *rows: tuple[int, str]) -> "Eaf":
        """Adds a tier whose annotations refer to others, by their number."""
        found = ""
        for number, value in rows:
            self.ids += 1
            found += (
                f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a{self.ids}" ANNOTATION_REF="a{number}"><ANNOTATION_VALUE>'
                f"{value}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
            )
        self.tiers.append(f'<TIER LINGUISTIC_TYPE_REF="refers" PARENT_REF="{parent}" TIER_ID="{name}">{found}</TIER>')
        return self

    def write(self, path: Path) -> Path:
        """Writes the file; returns its path."""
        header = "".join(self.media) + f'<PROPERTY NAME="lastUsedAnnotationId">{self.ids}</PROPERTY>'
        text = f'    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">{header}</HEADER><!-- mine -->\n'
        text += f"    <TIME_ORDER>{''.join(self.slots)}</TIME_ORDER>\n    {''.join(self.tiers)}\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + text + FOOT, encoding="utf-8")
        return path

    def _slot(self, time: int | None) -> str:
        name = f"ts{len(self.slots) + 1}"
        value = "" if time is None else f' TIME_VALUE="{time}"'
        self.slots.append(f'<TIME_SLOT TIME_SLOT_ID="{name}"{value}/>')
        return name
