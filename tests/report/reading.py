"""Reads a report as a browser would, by its well-formed markup."""

from pathlib import Path
from xml.etree import ElementTree

from aplt.report import write_report
from aplt.report.pictures import Clips


class Page:
    """A report file."""

    def __init__(self, path: Path) -> None:
        self.source = path.read_text(encoding="utf-8")
        # A script is plain text in HTML, and in XML as character data alone.
        markup = self.source.replace("<script>", "<script><![CDATA[").replace("</script>", "]]></script>")
        self.root = ElementTree.fromstring(markup.removeprefix("<!DOCTYPE html>"))

    @property
    def text(self) -> str:
        """What a reader sees, without the style sheet, with plain spaces."""
        main = self.root.find("body/main")
        assert main is not None
        return " ".join("".join(main.itertext()).split())

    def tiles(self) -> dict[str, str]:
        """Headline figures by name."""
        found = self.root.findall(".//div[@class='tile']")
        return {self._text(tile[0]): self._text(tile[1]) for tile in found}

    def table(self, header: str, section: str | None = None) -> list[dict[str, str]]:
        """The rows of the first table (of a section) whose first header is `header`, as text by header."""
        return [{key: text for key, (text, _) in row.items()} for row in self._rows(header, section)]

    def values(self, header: str) -> list[dict[str, float | None]]:
        """The same rows as the figures they sort by."""
        return [{key: value for key, (_, value) in row.items()} for row in self._rows(header)]

    def headings(self) -> list[str]:
        """The sections' titles."""
        return [self._text(heading) for heading in self.root.iter("h2")]

    def tags(self, name: str) -> list[ElementTree.Element]:
        """All elements of one kind."""
        return list(self.root.iter(name))

    def _rows(self, header: str, section: str | None = None) -> list[dict[str, tuple[str, float | None]]]:
        root = self.root if section is None else self.root.find(f".//section[@id='{section}']")
        assert root is not None
        for table in root.iter("table"):
            headers = [self._text(cell) for cell in table.findall("thead/tr/th")]
            if headers[0] == header:
                return [
                    {key: (self._text(cell), self._value(cell)) for key, cell in zip(headers, row, strict=True)}
                    for row in table.findall("tbody/tr")
                ]
        raise AssertionError(f"no table that begins with {header}")

    @staticmethod
    def _text(element: ElementTree.Element) -> str:
        return " ".join("".join(element.itertext()).split())

    @staticmethod
    def _value(cell: ElementTree.Element) -> float | None:
        value = cell.get("data-value")
        return None if value is None else float(value)


def page_of(folder: Path, *, beside: Path | None = None, clips: Clips | None = None) -> Page:
    return Page(write_report(folder, beside=beside, clips=clips))
