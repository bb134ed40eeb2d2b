"""A release's numbers beside published ones, printed the way they were published.

The published text is the format: each numeral in it gives way to our number with as many
decimals, so "426 (348 to 550)" takes three numbers. With an exponent (4.45e-05) ours has as many
digits; behind "<" (<0.001) ours reads the same if it is less, behind ">" (>0.9) if it is more.

The file beside a study:

    published: 1                    # version of this format
    note: How far ours can be equal # optional; stands under the table
    grounds:                        # optional: why numbers compare, under names of yours
      counts: {due: equality, because: They follow from counts alone.}
      models: {due: direction, from: 1, because: The patients are others.}
    entries:
      - analysis: by_sex            # whose result
        what: Median survival, male
        numbers:                    # a path for each numeral of `text`, see paths.py
          - curves[male].median.estimate
          - curves[male].median.conf_low
          - curves[male].median.conf_high
        text: "270 (212 to 310)"    # as published, in quotes
        times: 1                    # our numbers times this first; 100 for percent; or a list,
                                    # one for each: "10 (66.7%)" takes [1, 100]
        source: R 4.2.2, survival 3.5-3, print(survfit)
        ground: counts              # optional, one of `grounds`; without one equality is due
        because: A slip of the table # optional: why this one differs, or cannot be equal

A ground says what is due: `equality` of all numbers as rounded there; `direction`, the same side of
`from` (1 of a ratio, 0 of a difference) for the first of them; `size`, to be seen beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from coordinator.report.families import EVENT
from coordinator.report.paths import NoSuchNumber, number_at, steps
from coordinator.report.views import Table, View
from coordinator.report.words import no_result
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.study.fields import nearest

FORMAT: Final = 1
FIELDS: Final = ("analysis", "what", "numbers", "text", "times", "source", "ground", "because")
OPTIONAL: Final = ("times", "ground", "because")
GROUND_FIELDS: Final = ("due", "from", "because")
EQUALITY: Final = "equality"
DIRECTION: Final = "direction"
DUE: Final = (EQUALITY, DIRECTION, "size")
NUMERAL: Final = re.compile(r"(?:(?<![\w.)%])[-−])?\d+(?:\.(\d+))?(?:[eE]([-+]?\d+))?")
COUNTS: Final = frozenset(
    {"rows", "patients", "events", "observed", "expected", "left_out"}
    | {"n_risk", "n_event", "n_censor", "n_competing", "n_enter"}
    | {"n", "counts", "fell", "rose", "stayed"}
)
LIKELIHOODS: Final = frozenset({"loglik_null", "loglik", "aic", "bic"})
EQUAL: Final = "equal"
DIFFERS: Final = "differs"
NOT_SHOWN: Final = "not shown"
SAME_DIRECTION: Final = "same direction"
OTHER_DIRECTION: Final = "other direction"
BESIDE: Final = "beside"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is due of numbers, and why; `null` parts the directions, None but for a direction."""

    name: str = EQUALITY
    due: str = EQUALITY
    because: str = "Nothing else is stated."
    null: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One published text and where our numbers for it are."""

    analysis: str
    what: str
    paths: tuple[str, ...]
    text: str
    times: tuple[float, ...]
    source: str
    ground: Ground = Ground()
    because: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """A file of published numbers: its entries, and what is to be said of all of them."""

    entries: tuple[Entry, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One published text beside ours."""

    entry: Entry
    ours: str
    verdict: str

    @property
    def holds(self) -> bool:
        """Return whether what is due of it is so."""
        return self.verdict in (EQUAL, SAME_DIRECTION, BESIDE)


def read_published(path: Path) -> Published:
    """Return a file of published numbers; ConfigurationError if it is none."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            f"{path} cannot be read; expected a file of published numbers; check its name"
        ) from None
    except yaml.YAMLError:
        raise ConfigurationError(
            f"{path} is not YAML; expected `published: {FORMAT}` and `entries`; correct it"
        ) from None
    fields = found if isinstance(found, dict) else {}
    note = fields.get("note", "")
    named = set(fields) - {"note", "grounds"}
    if (
        named != {"published", "entries"}
        or fields["published"] != FORMAT
        or not isinstance(note, str)
    ):
        raise ConfigurationError(
            f"{path}: found {', '.join(map(str, fields)) or 'no fields'}, expected "
            f"`published: {FORMAT}` and `entries`, a list"
        )
    grounds = _grounds(fields.get("grounds", {}), f"{path}, grounds")
    entries = enumerate(fields["entries"] or (), 1)
    found = tuple(_entry(entry, grounds, f"{path}, entry {n}") for n, entry in entries)
    return Published(found, note)


def _grounds(fields: Any, place: str) -> dict[str, Ground]:
    """Return the grounds by name; ConfigurationError if one is not as it should be."""
    if not isinstance(fields, dict):
        raise ConfigurationError(f"{place}: found no names; expected a ground under each name")
    return {str(name): _ground(str(name), ground, place) for name, ground in fields.items()}


def _ground(name: str, fields: Any, place: str) -> Ground:
    named = fields if isinstance(fields, dict) else {}
    due, because, null = (named.get(field) for field in ("due", "because", "from"))
    wanted = (
        f"expected `due`, one of {', '.join(DUE)}, a text `because`, and a number `from` with "
        f"{DIRECTION} only"
    )
    if set(named) - set(GROUND_FIELDS) or due not in DUE or not isinstance(because, str):
        raise ConfigurationError(f"{place}, {name}: found {', '.join(map(str, named))}; {wanted}")
    if due != DIRECTION and "from" not in named:
        return Ground(name, due, because)
    if due != DIRECTION or isinstance(null, bool) or not isinstance(null, (int, float)):
        raise ConfigurationError(f"{place}, {name}: found `from` {null} with {due}; {wanted}")
    return Ground(name, due, because, float(null))


def _entry(fields: Any, grounds: Mapping[str, Ground], place: str) -> Entry:
    named = fields if isinstance(fields, dict) else {}
    unknown = [str(name) for name in named if name not in FIELDS]
    absent = [name for name in FIELDS if name not in named and name not in OPTIONAL]
    if unknown or absent:
        raise ConfigurationError(
            f"{place}: found {', '.join(unknown) or 'nothing'} that is unknown, and "
            f"{', '.join(absent) or 'nothing'} missing; expected {', '.join(FIELDS)}"
        )
    paths = named["numbers"] if isinstance(named["numbers"], list) else [named["numbers"]]
    texts = [named[name] for name in ("analysis", "what", "text", "source")]
    texts += [named[name] for name in ("ground", "because") if name in named]
    if not all(isinstance(text, str) for text in [*texts, *paths]):
        raise ConfigurationError(
            f"{place}: found a field that is no text; expected texts and paths; put them in quotes"
        )
    numerals = len(NUMERAL.findall(named["text"]))
    if numerals != len(paths) or not numerals:
        raise ConfigurationError(
            f"{place}: found {numerals} numerals in `text` and {len(paths)} paths in `numbers`; "
            f"expected a path for each numeral"
        )
    ground = named.get("ground", "")
    if ground and ground not in grounds:
        hint = nearest(ground, list(grounds))
        raise ConfigurationError(
            f"{place}: found the ground '{ground}'{hint}; expected one of `grounds`: "
            f"{', '.join(grounds) or 'none are there'}"
        )
    analysis, what, text, source = texts[:4]
    return Entry(
        analysis,
        what,
        tuple(paths),
        text,
        _times(named, numerals, place),
        source,
        grounds.get(ground, Ground()),
        named.get("because", ""),
    )


def _times(named: Mapping[str, Any], numerals: int, place: str) -> tuple[float, ...]:
    """Return what each number is multiplied by, `times` being one for all or a list of them."""
    times = named.get("times", 1)
    each = times if isinstance(times, list) else [times] * numerals
    if any(isinstance(n, bool) or not isinstance(n, (int, float)) for n in each):
        raise ConfigurationError(f"{place}: `times` is no number; expected 1, or 100 for percent")
    if len(each) != numerals:
        raise ConfigurationError(
            f"{place}: found {numerals} numerals in `text` and {len(each)} numbers in `times`; "
            f"expected one for each, or one for all"
        )
    return tuple(map(float, each))


def compare(entries: Sequence[Entry], views: Mapping[str, View]) -> Iterator[Comparison]:
    """Yield each entry beside ours; ConfigurationError for a path that leads nowhere."""
    for entry in entries:
        view = views.get(entry.analysis)
        if view is None:
            raise ConfigurationError(
                f"published '{entry.what}': no analysis '{entry.analysis}' in this release; "
                f"expected one of {', '.join(views)}"
            )
        yield _compared(entry, view)


def _compared(entry: Entry, view: View) -> Comparison:
    if view.failed:
        return Comparison(entry, no_result(view, str(view.result["because"]))[0].lower(), DIFFERS)
    if not all(_shown(view, path) for path in entry.paths):
        return Comparison(entry, str(view.limit.hidden), NOT_SHOWN)
    try:
        found = [number_at(view.result, path) for path in entry.paths]
    except NoSuchNumber as error:
        raise ConfigurationError(
            f"published '{entry.what}' of {entry.analysis}: {error}; correct `numbers`"
        ) from None
    scaled = [None if n is None else n * times for n, times in zip(found, entry.times, strict=True)]
    ours = as_published(entry.text, scaled)
    same = ours == entry.text.replace("−", "-")
    return Comparison(entry, ours, EQUAL if same else _unequal(entry, scaled[0]))


def _unequal(entry: Entry, ours: float | None) -> str:
    """Return the verdict of numbers that are not equal, by what is due of them."""
    null = entry.ground.null
    if null is None:
        return DIFFERS if entry.ground.due == EQUALITY else BESIDE
    first = NUMERAL.search(entry.text.replace("−", "-"))
    assert first is not None  # an entry has a numeral
    theirs = float(first[0])
    if ours is None or theirs == null:
        return BESIDE
    return SAME_DIRECTION if (ours - null) * (theirs - null) > 0 else OTHER_DIRECTION


def _shown(view: View, path: str) -> bool:
    """Return whether a number may be shown in full: none that the report hides or coarsens."""
    rules, found = view.rules, steps(path)
    fields = [name for name, _ in found]
    if rules.free:
        return True
    if COUNTS & set(fields) or not rules.full:
        return False
    if "curves" in fields:
        return any(_curve_shown(view, place, key) for place, key in found)
    model = next((key for name, key in found if name == "models" and key), "")
    shown = rules.total(model)
    fitted = shown.rows and shown.events
    known = shown.cells and (fitted or not LIKELIHOODS & set(fields))
    return known and not shown.few and rules.summary(EVENT)


def _curve_shown(view: View, place: str, key: str | None) -> bool:
    """Return whether a step of a path into curves leads to what is shown of every cause."""
    series = set(view.rules.points)
    if place == "at":
        return all(view.rules.estimate(name, float(key or "nan")) for name in series)
    if place in ("median", "quantiles", "restricted_mean", "time_to"):
        return all(view.rules.summary(name) for name in series)
    return False


def as_published(text: str, values: Sequence[float | None]) -> str:
    """Return `text` with our values in place of its numerals, each with as many decimals.

    >>> as_published("0.58 (<0.001)", [0.5754, 0.0009])
    '0.58 (<0.001)'
    """
    remaining = iter(values)
    plain = text.replace("−", "-")
    return NUMERAL.sub(lambda numeral: _like(numeral, next(remaining), plain), plain)


def _like(numeral: re.Match[str], value: float | None, text: str) -> str:
    if value is None:
        return "not reached"
    sign, printed = text[: numeral.start()][-1:], float(numeral[0])
    if (sign == "<" and value < printed) or (sign == ">" and value > printed):
        return numeral[0]
    decimals = len(numeral[1] or "")
    if numeral[2] is not None:
        return f"{value:.{decimals}e}"
    written = f"{value:.{decimals}f}"
    return written.removeprefix("-") if float(written) == 0 else written


def comparison_table(comparisons: Sequence[Comparison]) -> Table:
    """Return ours, published, whether they are equal, and the source."""
    rows = tuple(
        (
            f"{item.entry.analysis}: {item.entry.what}",
            item.ours,
            item.entry.text,
            item.verdict,
            item.entry.source,
        )
        for item in comparisons
    )
    equal = sum(item.verdict == EQUAL for item in comparisons)
    caption = f"Beside published numbers: {equal} of {len(rows)} equal as rounded there"
    return Table(caption, ("Number", "Quorum", "Published", "Verdict", "Source"), rows, prose=True)
