"""Crafted studies: what the author of a study could try, and what reading one refuses.

Each function gives a study file with particulars drawn from a seed. Nothing of it is kept, so
nothing of it can be approved.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.campaign import frozen_studies
from tests.studytext import STUDY

CODE: Final = (
    "__import__('os').system('id')",
    "().__class__.__bases__[0].__subclasses__()",
    "eval('1')",
    "exec('1')",
    "open('/etc/passwd')",
    "(lambda: age)()",
    "[age for age in range(9)]",
    "age.__class__",
    "age if age > 1 else 0",
    "f'{age}'",
    "age := 3",
    "age[0]",
    "C(age)",
    "Q('age')",
    "I(age ** 2)",
    "@age",
    "{{age}}",
    "${age}",
    "`id`",
    "age; import os",
    "globals()",
    "print(age)",
    "bs(age)",
)
PYTHON_TAGS: Final = (
    "!!python/object/apply:os.system [id]",
    "!!python/name:os.system",
    "!!python/object/new:subprocess.Popen [[id]]",
    "!!python/module:os",
    "!<tag:yaml.org,2002:python/tuple> [1]",
    "!!binary aWQ=",
    "!!set {a, b}",
)
LOOK_ALIKES: Final = ("аge", "agе", "ａge", "age\u200b", "a\u0301ge", "AGE", "age ", "аɡе")


@dataclass(frozen=True)
class Crafted:
    """A crafted study: what it tries, what stops it, and its text; frozen or not."""

    tries: str
    stops: str
    text: Callable[[Random], str]


def cohort(expression: str) -> str:
    """The study with an expression of a cohort in the place of another one."""
    return _put("adults: age >= 18", f"adults: {json.dumps(expression)}")


def _put(old: str, new: str) -> str:
    assert old in STUDY, old
    return STUDY.replace(old, new, 1)


def code(rng: Random) -> str:
    """Python, or another language, where an expression is read."""
    return cohort(rng.choice(CODE) + rng.choice(["", " > 1", " and age > 1"]))


def deep_expression(rng: Random) -> str:
    """Brackets, signs or negations in one another without end."""
    depth = rng.choice([200, 3000, 40_000])
    around = rng.choice([("(", ")"), ("-", ""), ("not ", ""), ("log10(", ")"), ("max(", ")")])
    return cohort(f"{around[0] * depth}age{around[1] * depth} > 1")


def long_expression(rng: Random) -> str:
    """A chain of operators as long as a file may be."""
    word = rng.choice([" + age", " and age > 1", " or age > 1", " * 2"])
    return cohort("age > 1" + word * (900_000 // len(word)))


def huge_number(rng: Random) -> str:
    """Numbers that are none, or would take a machine's memory."""
    return cohort(
        "age > " + rng.choice(["9" * 5000, "1e999", "-1e999", "0x10", "1_000", "nan", "inf", "1j"])
    )


def look_alike(rng: Random) -> str:
    """A name that people take for another one."""
    return cohort(f"{rng.choice(LOOK_ALIKES[:-3])} > {rng.randrange(99)}")


def look_alike_column(rng: Random) -> str:
    """A second column whose name looks like the first one's."""
    column = "      age: {type: number, unit: years, range: [0, 110]}\n"
    more = f"      {json.dumps(rng.choice(LOOK_ALIKES))}: {{type: number}}\n"
    return _put(column, column + more)


def by_identifier(rng: Random) -> str:
    """A subset that is one patient, by the identifier."""
    name = rng.choice(['patient == "p1"', "patient == 17", 'patient != "p1"', "len(patient) > 1"])
    return cohort(name)


def by_row_number(rng: Random) -> str:
    """A subset that is one row, by its place or at random."""
    return cohort(
        rng.choice(["row == 1", "_n_ == 3", "index < 2", "random() < 0.5", "rank(age) == 1"])
    )


def by_site(rng: Random) -> str:
    """A subset that is one hospital."""
    return cohort(
        rng.choice(['site == "elm"', 'site.name == "elm"', 'site != "elm"', "site.key > 1"])
    )


def aliases(rng: Random) -> str:
    """Lists of lists of lists: nine lines that name more values than there is memory."""
    levels = rng.randrange(2, 12)
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    for n in range(1, levels):
        lines.append(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]")
    return "\n".join([STUDY, *lines])


def tags(rng: Random) -> str:
    """A value that names a type of Python."""
    return _put("title: A small study", f"title: {rng.choice(PYTHON_TAGS[:-2])}")


def deep_yaml(rng: Random) -> str:
    """Lists in lists."""
    depth = rng.choice([40, 500, 20_000])
    return STUDY + f"deep: {'[' * depth}{']' * depth}\n"


def key_twice(rng: Random) -> str:
    """A field that stands twice: which one did the steward read?"""
    line = rng.choice(["study: other", "title: Another", "quorum: 1", "time: {horizon: 4}"])
    return STUDY + line + "\n"


def level_twice(rng: Random) -> str:
    """One code for two levels, or one level twice."""
    changed = {
        "codes: {1: male, 2: female}": ['codes: {1: male, "1": female}', "levels: [male, male]"],
        "country: [US, Spain]": ["country: [US, US]", "country: [Spain, US, Spain]"],
    }
    old = rng.choice(sorted(changed))
    return _put(old, rng.choice(changed[old]))


def too_fine(rng: Random) -> str:
    """A time grid on which every patient has a point, many times over."""
    return _put("horizon: 400", f"horizon: {rng.choice([200_000, 10**9, 10**40])}")


def too_large(rng: Random) -> str:
    """A file that is larger than any study."""
    return STUDY + "#" * (1_000_001 + rng.randrange(1000))


def lower_limit(rng: Random) -> str:
    """Limits below what any study may have."""
    limits = {"sites": 2, "patients": 0, "others": 0, "deaths": 4, "carriers": 4}
    name = rng.choice(sorted(limits))
    return _put(
        "{sites: 3, patients: 5, others: 3}",
        f"{{{name}: {rng.randrange(-3, limits[name] + 1)}}}",
    )


def hidden_class(rng: Random) -> str:
    """Sums of a class that the study does not say that it opens."""
    if rng.random() < 0.5:
        return _put("classes: [A, B]", rng.choice(["classes: [A]", "classes: [B]", "classes: []"]))
    return _put("kps], baseline: by_site}", "kps], baseline: pooled, risk_sets: open}")


def crossing_groups(rng: Random) -> str:
    """Curves by several groupings of the same patients, which link into rows."""
    by = rng.choice(["smoker", "dose", "age > 50"])
    more = f"  another: {{kind: survival, endpoint: survival, by: {by}}}\n"
    return _put("  test: {", f"{more}  test: {{")


def unknown_field(rng: Random) -> str:
    """A field that this version does not read, and a later one might."""
    name = rng.choice(["script", "run", "hook", "formula", "include", "on_close", "Title"])
    return STUDY + f"{name}: {rng.choice(['1', 'id', '[a]'])}\n"


GRAMMAR: Final = "a closed grammar, parsed and evaluated by our own code"
BOUNDED: Final = "bounds on files, nesting and sizes"
STRICT: Final = "strict reading: what is not known is an error"
NAMES: Final = "names are lower-case ASCII letters, digits and _"
NO_IDENTIFIERS: Final = "identifiers, places of rows and hospitals are not in any expression"
HASH: Final = "the hash of the canonical form"
CRAFTED: Final = {
    "code in an expression": Crafted("run code in a hospital", GRAMMAR, code),
    "a deep expression": Crafted("exhaust the stack", BOUNDED, deep_expression),
    "a long expression": Crafted("exhaust time and memory", BOUNDED, long_expression),
    "a huge number": Crafted("exhaust memory, or have two readers differ", GRAMMAR, huge_number),
    "a look-alike name in an expression": Crafted(
        "have stewards read another name", NAMES, look_alike
    ),
    "a look-alike column": Crafted("have stewards read another column", NAMES, look_alike_column),
    "a subset by identifier": Crafted("isolate a patient", NO_IDENTIFIERS, by_identifier),
    "a subset by place": Crafted("isolate a row", NO_IDENTIFIERS, by_row_number),
    "a subset by hospital": Crafted("isolate a hospital", NO_IDENTIFIERS, by_site),
    "aliases of aliases": Crafted("exhaust memory by a small file", BOUNDED, aliases),
    "types of Python": Crafted("run code when the file is read", STRICT, tags),
    "deep lists": Crafted("exhaust the stack", BOUNDED, deep_yaml),
    "a field twice": Crafted("have two readers read two things", STRICT, key_twice),
    "a level twice": Crafted("have a value mean two things", STRICT, level_twice),
    "a grid without end": Crafted("exhaust hospitals, see each day", BOUNDED, too_fine),
    "a file without end": Crafted("exhaust memory", BOUNDED, too_large),
    "limits too low": Crafted("sum over nobody else", "least limits of every study", lower_limit),
    "a class not named": Crafted("open more than stewards read", STRICT, hidden_class),
    "crossing groups": Crafted(
        "link curves into rows", "one grouping at full resolution", crossing_groups
    ),
    "an unknown field": Crafted("be read otherwise by another version", STRICT, unknown_field),
    "a change after freezing": Crafted(
        "have approved what was not read", HASH, frozen_studies.altered
    ),
    "a key after freezing": Crafted("stand in for a hospital", HASH, frozen_studies.other_key),
    "one key for two": Crafted("count one hospital twice", STRICT, frozen_studies.one_key_for_two),
    "a strange site": Crafted(
        "write outside of a folder, look like another", NAMES, frozen_studies.strange_site
    ),
    "a forged rotation": Crafted(
        "have new keys look as if the old ones signed",
        "signatures of both keys",
        frozen_studies.forged_rotation,
    ),
    "a revision of nothing": Crafted(
        "end an approval by mistake", STRICT, frozen_studies.no_revision
    ),
}
