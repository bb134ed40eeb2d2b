"""A preview as text for a terminal, laid out from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from site_agent.contract.catalogue import SUMS
from site_agent.preview import Preview
from site_agent.preview_document import preview_document
from site_agent.review.page import Page, Sheet
from site_agent.review.wording import counted, listed
from site_agent.serving import of_guard, rows_in_words

Part = Mapping[str, Any]

LONGEST: Final = 32  # parts of an argument that are written out; the document has all
NOUNS = {"count": "count", "tally": "count", "real": "number", "sealed": "number before blinding"}


def in_words(found: Preview, *, full: bool = False, width: int = 88) -> str:
    """Return a preview in plain words, in lines of at most `width` places."""
    page = Page(width)
    lay_out(page, preview_document(found, full=full))
    return "\n".join(page.lines) + "\n"


def lay_out(page: Sheet, document: Part) -> None:
    """Say a preview on a sheet, round by round."""
    page.heading(f"What would leave {document['site']} for {document['study']}")
    page.say(f"Study {document['hash'][:16]}; data of {document['folder']}.")
    page.say_all(document["sentences"])
    for each in document["rounds"]:
        _round(page, each)
    _end(page, document)


def _round(page: Sheet, each: Part) -> None:
    page.heading(f"Round {each['round']}")
    known = "follows from the study alone" if each["known"] else "depends on totals"
    sums = counted(len(each["sums"]), "sum")
    page.say(f"One message of {each['bytes']} bytes leaves, with {sums}. What is asked {known}.")
    for number, shown in enumerate(each["sums"]):
        if number:
            page.gap()
        _sum(page, shown)


def _sum(page: Sheet, shown: Part) -> None:
    page.say(f"{shown['sum']}, class {shown['class']}: {shown['gives']}", hanging=4)
    page.say(f"for: {_purpose(shown)}", indent=4, hanging=2)
    here = counted(shown["rows"]["count"], "row")
    page.say(f"over: {rows_in_words(shown['rows'])} ({here} here)", indent=4, hanging=2)
    if shown["asked_with"]:
        page.say(f"asked with: {_arguments(shown['asked_with'])}", indent=4, hanging=2)
    page.say(f"opens: {_opens(shown)}", indent=4, hanging=2)
    for array in shown["arrays"]:
        page.say(f"{array['name']}: {_numbers(array)}", indent=4, hanging=4)


def _purpose(shown: Part) -> str:
    if of_guard(shown["sum"]):
        return "the guard, to see whether anything may be computed"
    return listed(shown["serves"])


def _arguments(arguments: Part) -> str:
    return "; ".join(f"{name} {_flat(value)}" for name, value in arguments.items())


def _flat(value: Any) -> str:
    if isinstance(value, list):
        more = [f"and {len(value) - LONGEST} more"] if len(value) > LONGEST else []
        return "[" + ", ".join([*map(_flat, value[:LONGEST]), *more]) + "]"
    return repr(value) if isinstance(value, float) else str(value)


def _opens(shown: Part) -> str:
    """Return who sees the total, and as what."""
    if shown["opens_to"] == "all":
        return "the total, to the center and to every hospital of the release"
    reduced = listed([_shaped(lane) for lane in shown["reduced_to"]])
    if shown["sealed"]:
        sent = listed([_shaped(lane) for lane in shown["sent_as"]])
        return (
            f"the center sees the total only blinded, with a secret that the hospitals share and "
            f"it has not. What it learns of it, and all that goes on to the hospitals: {reduced}. "
            f"Leaves blinded as {sent}"
        )
    return f"the total, to the center alone; of it go on to the hospitals only {reduced}"


def _shaped(lane: Part) -> str:
    return f"{lane['name']} ({' x '.join(map(str, lane['shape']))})"


def _numbers(array: Part) -> str:
    """Return an array's numbers: all of a few, else those that are not zero, with their place."""
    if "numbers" in array and array["count"] == 1:
        return _number(array["numbers"][0])
    noun, shape = NOUNS[array["encoding"]], " x ".join(map(str, array["shape"]))
    what = f"{shape} {noun.replace('number', 'numbers').replace('count', 'counts')}"
    if not array["not_zero"]:
        return f"{what}, all zero" if array["count"] else f"{what}, none here"
    if "numbers" in array and array["not_zero"] == array["count"] and len(array["shape"]) == 1:
        return f"{what}: {', '.join(map(_number, array['numbers']))}"
    first = ", ".join(f"[{_place(one['at'])}] {_number(one['number'])}" for one in array["first"])
    left = array["not_zero"] - len(array["first"])
    more = f", and {left} more (--full shows all)" if left else ""
    return f"{what}, {array['not_zero']} not zero: {first}{more}"


def _number(value: float) -> str:
    return repr(value)


def _place(at: list[int]) -> str:
    return ",".join(map(str, at))


def _end(page: Sheet, document: Part) -> None:
    page.heading("What is left to ask")
    rounds = counted(len(document["rounds"]), "round")
    page.say(f"In these {rounds} {document['bytes']} bytes leave.")
    if document["refused"]:
        page.say(f"Here this hospital would send nothing further: {document['refused']}", hanging=2)
    for each in document["ended"]:
        page.say(
            f"{each['analysis']} ends here with this hospital's numbers alone, and may go on with "
            f"those of all: {each['because']}",
            hanging=2,
        )
    if document["not_shown"]:
        page.say("Not shown above, and asked for in a release whose totals lead so far:")
    for (asked, analysis), rows in _grouped(document["not_shown"]).items():
        entry = SUMS[asked]
        text = f"{asked}, class {entry.disclosure}, for {analysis}: {entry.gives}. Over: "
        page.say(text + " | ".join(rows), indent=4, hanging=2)


def _grouped(missing: list[Part]) -> dict[tuple[str, str], list[str]]:
    """Return the rows, in words, by sum and analysis."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in missing:
        key = each["sum"], each["analysis"]
        found.setdefault(key, []).append(rows_in_words(each["rows"]))
    return found
