"""The review as text for a terminal, laid out from its document."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from site_agent.contract.study.model import Study
from site_agent.review.document import review_document
from site_agent.review.wording import quoted

NARROWEST: Final = 40
GROUP: Final = 4
Part = Mapping[str, Any]


def review(study: Study, site: str, before: Study | None = None, *, width: int = 88) -> str:
    """Return what a frozen study means for `site`, in lines of at most `width` places (40 or more).

    before: the study that it revises, if that is here. Raises Refused if the study is not frozen,
    or does not pin the site.
    """
    page = Page(max(width, NARROWEST))
    lay_out(page, review_document(study, site, before))
    return "\n".join(page.lines) + "\n"


def lay_out(sheet: Sheet, document: Part) -> None:
    """Say a review on a sheet, section by section."""
    for section in SECTIONS:
        section(sheet, document)


class Sheet(Protocol):
    """What words are said on: a page of a terminal, or one of a browser."""

    def heading(self, text: str) -> None:
        """Begin a section."""

    def say(self, text: str, *, indent: int = 2, hanging: int = 0) -> None:
        """Add a paragraph; one that is indented more belongs to the one before."""

    def say_all(self, texts: Iterable[str], *, indent: int = 2) -> None:
        """Add several paragraphs; those that begin with a dash are items of a list."""

    def gap(self) -> None:
        """Part what comes from what was said."""


class Page:
    """Lines of a page of a given width."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.lines: list[str] = []

    def heading(self, text: str) -> None:
        """Add a heading, with an empty line before it."""
        if self.lines:
            self.lines.append("")
        self.lines += [*self._wrapped(text.upper(), 0, 0)]

    def say(self, text: str, *, indent: int = 2, hanging: int = 0) -> None:
        """Add a paragraph; all lines but the first are indented by `hanging` more."""
        self.lines += self._wrapped(text, indent, indent + hanging)

    def say_all(self, texts: Iterable[str], *, indent: int = 2) -> None:
        """Add several paragraphs; those that begin with a dash hang by it."""
        for text in texts:
            self.say(text, indent=indent, hanging=2 if text.startswith("- ") else 0)

    def gap(self) -> None:
        """Add an empty line."""
        self.lines.append("")

    def _wrapped(self, text: str, first: int, rest: int) -> list[str]:
        lines, line = [], " " * first
        empty = True
        for word in _pieces(text, self._width - max(first, rest)):
            if not empty and places(line) + 1 + places(word) > self._width:
                lines.append(line)
                line, empty = " " * rest, True
            line, empty = (line + word if empty else f"{line} {word}"), False
        return [*lines, line.rstrip()]


def _pieces(text: str, room: int) -> Iterator[str]:
    """Yield the words of a text; one that is longer than a line in pieces that fit."""
    for word in text.split():
        piece = ""
        for character in word:
            if places(piece + character) > room:
                yield piece
                piece = ""
            piece += character
        yield piece


def places(text: str) -> int:
    """Return how many places a text takes on a terminal."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def _named(part: Part) -> str:
    """Return a name with its label, which is the center's wording."""
    return f"{part['name']} {quoted(part['label'])}" if part["label"] else str(part["name"])


def _study(page: Sheet, document: Part) -> None:
    study = document["study"]
    page.heading("The study")
    page.say(f"{study['name']}: {quoted(study['title'])}")
    page.say("What stands in quotation marks is the wording of those who ask.")
    digest = study["hash"]
    groups = " ".join(digest[start : start + GROUP] for start in range(0, len(digest), GROUP))
    page.say(f"Hash: {groups}", hanging=6)
    if study["synthetic"]:
        page.say("Synthetic: the study says that its patients are made up.")
    else:
        page.say("Not marked as synthetic: its patients are taken for real ones.")
    if study["watermark"]:
        page.say(f"All that it gives is marked: {study['watermark']}.")
    time = study["time"]
    page.say(
        f"Times are in {time['unit']}s from an origin of the study, in steps of "
        f"{time['resolution']}, up to {time['horizon']}."
    )


def _revision(page: Sheet, document: Part) -> None:
    if document["revision"]:
        page.heading("What this revision changes")
        page.say_all(document["revision"]["sentences"])


def _parties(page: Sheet, document: Part) -> None:
    center, hospitals = document["center"], document["hospitals"]
    page.heading("Who asks, and who takes part")
    page.say(f"Asks: {center['name']}, fingerprint {center['fingerprint']}", hanging=2)
    page.say("Take part, with the fingerprint of their keys:")
    for site in hospitals["sites"]:
        fixed = [f"{name} {value}" for name, value in site["attributes"].items()]
        own = ["this hospital"] if site["own"] else []
        line = f"{site['name']} {site['fingerprint']}"
        page.say(", ".join([line, *fixed]) + "".join(f" ({o})" for o in own), indent=4, hanging=2)
    page.say_all(hospitals["sentences"])
    if hospitals["shared_keys"]:
        page.say(f"WARNING: one party under several names: {', '.join(hospitals['shared_keys'])}.")


def _tables(page: Sheet, document: Part) -> None:
    page.heading("What is read at this hospital")
    for table in document["tables"]:
        rows = "one row" if table["one_row_a_patient"] else "several rows"
        page.say(f"Table {table['name']}, {rows} a patient ({table['name']}.parquet):")
        page.say(f"{table['identifier']}: identifies the patient; never sent", indent=4, hanging=4)
        for column in table["columns"]:
            missing = "may be missing" if column["missing_allowed"] else "never missing"
            text = f"{_named(column)}: {column['description']}; {missing}"
            page.say(text, indent=4, hanging=4)
        if table["derived"]:
            page.say("Worked out from these, at this hospital:")
        for derived in table["derived"]:
            page.say(f"{_named(derived)} = {derived['definition']}", indent=4, hanging=4)
        if table["unused"]:
            page.say(f"Read and checked, but used by no analysis: {', '.join(table['unused'])}.")
        page.gap()
    page.say("Other columns and other files are not used.")


def _endpoints(page: Sheet, document: Part) -> None:
    page.heading("What is followed: the endpoints")
    for endpoint in document["endpoints"]:
        unused = "" if endpoint["used"] else " (no analysis uses it)"
        text = " ".join(endpoint["sentences"])
        page.say(f"{_named(endpoint)}{unused}: {text}", hanging=4)


def _analyses(page: Sheet, document: Part) -> None:
    page.heading("What is computed: the analyses, and what each opens")
    for number, analysis in enumerate(document["analyses"]):
        if number:
            page.gap()
        page.say(f"{_named(analysis)} ({analysis['kind']})")
        page.say(" ".join(analysis["sentences"]), indent=4)
        for opened in analysis["opens"]:
            page.say(f"Opens, class {opened['class']}: {opened['what']}", indent=4, hanging=2)
        page.say_all(analysis["warnings"], indent=4)


def _classes(page: Sheet, document: Part) -> None:
    page.heading("What this gives away")
    for given in document["classes"]["gives"]:
        page.say(f"Class {given['class']} ({', '.join(given['analyses'])}):", hanging=2)
        page.say_all(given["sentences"], indent=4)
        page.gap()
    page.say(document["classes"]["sentence"])


def _limits(page: Sheet, document: Part) -> None:
    page.heading("Limits")
    for number, limit in enumerate(document["limits"].values()):
        if number:
            page.gap()
        page.say_all(limit["sentences"])


def _accepted(page: Sheet, document: Part) -> None:
    accepted = document["accepted"]
    page.heading("Accepted exceptions")
    page.say(accepted["sentence"])
    for item in accepted["exceptions"]:
        page.say(f"{item['analysis']}: {quoted(item['because'])}", indent=4, hanging=4)


def _leaving(page: Sheet, document: Part) -> None:
    page.heading("What is sent from this hospital")
    page.say_all(document["leaves"])
    page.heading("What never leaves this hospital")
    page.say_all(document["stays"])


def _approval(page: Sheet, document: Part) -> None:
    page.heading("What approving means")
    page.say_all(document["approval"])


SECTIONS: Final = (
    *(_study, _revision, _parties, _tables, _endpoints, _analyses, _classes),
    *(_limits, _accepted, _leaving, _approval),
)
