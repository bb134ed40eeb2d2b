"""Reading study files: what is accepted, and what is said of each mistake."""

from __future__ import annotations

from fractions import Fraction

import pytest

from site_agent.contract.errors import StudyError
from site_agent.contract.study.read import read_study
from tests.studytext import STUDY, issues, study, varied


def test_the_small_study_is_accepted() -> None:
    """A complete study has no issue."""
    assert issues() == []


def test_the_hash_does_not_depend_on_labels_or_schedule() -> None:
    """Labels and schedule may change without a new approval."""
    changed = study(("Age in years", "Age"), ("0 6 * * 1", "0 6 * * 2"))
    assert changed.hash == study().hash


def test_the_hash_does_not_depend_on_spelling() -> None:
    """White space, comments and quotes of an expression do not change the study."""
    changed = study(("age >= 18", "  age>=18   # grown up"))
    assert changed.hash == study().hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("age > 60", "age > 61"),
        ("sites: 3", "sites: 4"),
        ("[28, 60]", "[28, 61]"),
        ("reference: male", "reference: female"),
        ("horizon: 400", "horizon: 401"),
        ("it is the primary result", "we want it"),
        ("[relapse, death]", "[death, relapse]"),
    ],
)
def test_the_hash_depends_on_everything_else(old: str, new: str) -> None:
    """What is computed or protected is part of the study's name."""
    assert study((old, new)).hash != study().hash


def test_like_takes_over_what_is_not_given_anew() -> None:
    """`like` copies an endpoint; `entry: none` takes its entry away."""
    endpoint = study().endpoints["trm_from_start"]
    assert (endpoint.entry, endpoint.cause_names) == (None, ("death", "relapse"))


LIKE_ALL = (
    "  trm_from_start: {like: trm, origin: start_day, entry: none}\n",
    "  one: {like: trm}\n  two: {like: one, entry: none}\n  trm_from_start: {like: trm}\n",
)


def test_what_like_takes_over_is_told_once() -> None:
    """A wrong cause and a missing day last seen, of an endpoint that three others are like."""
    wrong = (
        "competing: {relapse: relapse_day}\n    censored: last_seen_day",
        "competing: {r: sex}",
    )
    assert [text.partition("trm")[2] for text in issues(wrong, LIKE_ALL)] == [
        ": first_of_ties: 'relapse' is not a cause; known: death",
        ": 'censored' is missing: the last day seen (or `time` with a status)",
        ".competing.r: 'sex' is a category, expected the day of the cause",
    ]


def test_what_is_wrong_anew_is_told_anew() -> None:
    """An endpoint that is like another and gives the same wrong cause itself has its own line."""
    wrong = ("competing: {relapse: relapse_day}", "competing: {relapse: sex}")
    anew = (LIKE_ALL[0], "  one: {like: trm, competing: {relapse: sex}}\n")
    told = [text.partition(":")[0] for text in issues(wrong, anew) if "is a category" in text]
    assert told == ["line 35", "line 38"]


def test_resolution_may_be_a_fraction() -> None:
    """A month is a twelfth of a year, exactly."""
    found = study(("unit: day, resolution: 1,", "unit: day, resolution: 1/12,"))
    assert found.time.resolution == Fraction(1, 12)


def test_otherwise_is_the_reference_of_a_derived_category() -> None:
    """The level that takes what is left is the reference unless another is named."""
    assert study().scopes["patients"].columns["dose"].reference == "low"  # type: ignore[union-attr]


def test_words_of_yaml_1_1_stay_words() -> None:
    """`no` and `yes` are levels, not booleans."""
    found = study(("{type: boolean, missing: allowed}", "{type: category, levels: [no, yes]}"))
    assert found.tables["patients"].columns["smoker"].levels == ("no", "yes")


def test_policy_none_sets_the_disclosure_policy_aside() -> None:
    """For method development every class opens, and everything is watermarked."""
    found = read_study(STUDY, "small.yaml", development=True)
    assert found.watermark == "NO DISCLOSURE POLICY: for method development, not for release"


MISTAKES = {
    "misspelt column in an expression": (
        ("covariates: [age, sex, kps]", "covariates: [agee, sex, kps]"),
        "line 45: analyses.model.covariates[1]: Unknown name 'agee'. Did you mean 'age'?",
    ),
    "misspelt field": (
        ("endpoint: survival, by: sex, at", "endpont: survival, by: sex, at"),
        "line 42: analyses.curve: 'endpoint' is missing",
    ),
    "unknown kind": (
        ("kind: logrank", "kind: logrnk"),
        'line 44: analyses.test.kind: found the text "logrnk", expected one of survival, '
        "incidence, logrank, cox, cox_screen, fine_gray, meta_analysis, compare, paired, "
        "table_one, proportion, glm, gee, weighting, loess, adjustment; did you mean 'logrank'?",
    ),
    "unknown endpoint": (
        ("kind: incidence, endpoint: trm", "kind: incidence, endpoint: trn"),
        'line 43: analyses.incidence.endpoint: found the text "trn", expected the name of an '
        "endpoint; did you mean 'trm'?",
    ),
    "unknown level": (
        ("age >= 18", 'sex == "femal"'),
        None,
    ),
    "class not accepted": (
        (
            "covariates: [age, sex, kps], baseline: by_site",
            "covariates: [age, sex, kps], risk_sets: open",
        ),
        "line 45: analyses.model: opens sums of covariates over those at risk at each event: "
        "close to the covariates of single patients in a small study: class C, which "
        "disclosure.classes (A, B) does not accept. Add C to the classes if the stewards accept "
        "it; or take risk_sets: sealed, which is class A",
    ),
    "key twice": (("  patients:\n    dose", "  patients:\n    dose: age > 1\n    dose"), None),
    "missing horizon": (
        (", horizon: 400", ""),
        "line 4: time: 'horizon' is missing",
    ),
    "site as stratum": (
        ("baseline: by_site}\n  screen", "strata: [site], baseline: by_site}\n  screen"),
        "line 45: analyses.model.strata: 'site' is not a column; for a baseline of each "
        "hospital's own: baseline: by_site",
    ),
    "accepted names no analysis": (
        ("analysis: curve", "analysis: curv"),
        "line 51: disclosure.accepted[1]: 'curv' is not an analysis; did you mean 'curve'?",
    ),
    "number where a category is needed": (
        ("endpoint: survival, by: sex}", "endpoint: survival, by: age}"),
        "line 44: analyses.test.by: 'age' is a number; expected a category or a condition (a "
        "number is grouped with cut(...))",
    ),
    "too few sites": (
        ("sites: 3", "sites: 2"),
        "line 49: disclosure.compute.sites: found the number 2, expected a whole number of at "
        "least 3",
    ),
    "wrong unit as a type": (
        ("last_seen_day: {type: day}", "last_seen_day: {type: month}"),
        'line 18: tables.patients.columns.last_seen_day.type: found the text "month", expected '
        "one of number, integer, boolean, category, day",
    ),
    "gray with left truncation": (
        ("endpoint: trm, at: [28]", "endpoint: trm, at: [28], variance: gray"),
        "line 43: analyses.incidence.variance: gray is not defined for left truncated "
        "data (cuminc takes no entry); expected greenwood",
    ),
    "wrong version": (
        ("quorum: 1", "quorum: 2"),
        "line 1: quorum: found the number 2, expected 1, the format this version reads",
    ),
    "bad name": (
        ("study: small", "study: Small Study"),
        "line 2: study: the name 'Small Study' must be lower-case letters, digits and _, a "
        "letter first, at most 40",
    ),
    "like in a circle": (
        ("like: trm,", "like: trm_from_start,"),
        "line 38: endpoints.trm_from_start.like: 'trm_from_start' leads back to itself",
    ),
    "days without a last day seen": (
        (
            "event: {death: death_day}\n    censored: last_seen_day\n  trm:",
            "event: {death: death_day}\n  trm:",
        ),
        "line 30: endpoints.survival: 'censored' is missing: the last day seen (or `time` with a "
        "status)",
    ),
}


@pytest.mark.parametrize("limit", ["deaths", "carriers"])
def test_limits_of_models_may_only_be_raised(limit: str) -> None:
    """Below 5 a model's totals fix its binary covariates; exceptions are made by name."""
    field = ("others: 3}", f"others: 3, {limit}: 4}}")
    message = (
        f"disclosure.compute.{limit}: found the number 4, expected a whole number of at least 5"
    )
    assert issues(field) == [f"line 49: {message}"]


def test_the_limits_of_models() -> None:
    """Five of each unless the study asks for more."""
    raised = study(("others: 3}", "others: 3, deaths: 10}")).policy
    assert [(p.deaths, p.carriers) for p in (study().policy, raised)] == [(5, 5), (10, 5)]


@pytest.mark.parametrize("mistake", [name for name, (_, text) in MISTAKES.items() if text])
def test_a_mistake_is_answered_with_line_and_remedy(mistake: str) -> None:
    """Each mistake has one clear message with its line."""
    replacement, message = MISTAKES[mistake]
    assert message in issues(replacement)


@pytest.mark.parametrize(
    ("replacement", "part"),
    [
        (("age >= 18", 'sex == "femal"'), "female"),
        (("  patients:\n    dose", "  patients:\n    dose: age > 1\n    dose"), "stands twice"),
        (("age >= 18", '__import__("os")'), "__import__"),
        (("quorum: 1", "quorum: [1"), "not YAML"),
        (("title: A small study", "title: !!python/name:os.system x"), "not YAML"),
        (
            ("dose: {high: age > 60, low: otherwise}", "dose: {high: agg > 60, low: otherwise}"),
            "agg",
        ),
    ],
)
def test_other_mistakes_are_named(replacement: tuple[str, str], part: str) -> None:
    """The message holds what was found or what is meant."""
    found = issues(replacement)
    assert any(part in line for line in found), found


def test_a_wrong_derived_column_is_told_once() -> None:
    """What a wrong derived column brings about elsewhere is not told again."""
    found = issues(("peak: max(grades.crs)", "peak: max(grades.csr)"))
    assert len(found) == 1


def test_all_mistakes_are_told_at_once() -> None:
    """A reader need not mend one mistake to hear of the next."""
    found = issues(
        ("study: small", "study: Small"), ("kind: logrank", "kind: x"), ("sites: 3", "sites: 0")
    )
    assert [line.split(":")[0] for line in found] == ["line 2", "line 44", "line 49"]


def test_a_study_changed_after_freezing_is_refused() -> None:
    """The hash in the file no longer fits its content."""
    member = "{signing_key: a, encryption_key: b, attributes: {country: US}}"
    center = "{name: center, signing_key: c, encryption_key: d}"
    roster = f"roster:\n  center: {center}\n  sites: {{one: {member}}}\n"
    text = varied() + roster + f"frozen: {'a' * 64}\n"
    with pytest.raises(StudyError, match="changed after freezing: its content has the hash"):
        read_study(text, "small.yaml")


def rostered(name: str, center_key: str) -> str:
    """A study with one site of this name, whose center signs with this key."""
    member = "{signing_key: a, encryption_key: b, attributes: {country: US}}"
    center = f"{{name: center, signing_key: {center_key}, encryption_key: d}}"
    return f"{varied()}roster:\n  center: {center}\n  sites: {{{name}: {member}}}\n"


def test_two_parties_with_one_key_are_refused() -> None:
    """A site that signs with the center's key is the center."""
    with pytest.raises(StudyError, match="'center' and 'one' have the same key"):
        read_study(rostered("one", "a") + f"frozen: {'a' * 64}\n", "small.yaml")


def test_a_name_that_would_move_the_cursor_is_refused() -> None:
    """What is printed on a steward's terminal holds no control character."""
    with pytest.raises(StudyError, match="of a party is not of lower-case letters"):
        read_study(rostered(r'"\e[2Jone"', "c") + f"frozen: {'a' * 64}\n", "small.yaml")


def test_a_frozen_study_needs_a_roster() -> None:
    """`frozen` alone is not a frozen study."""
    with pytest.raises(StudyError, match="a frozen study has a roster, this one has none"):
        read_study(varied() + f"frozen: {'a' * 64}\n", "small.yaml")


@pytest.mark.parametrize(
    "text", ["", "- 1", "7", "a: &x [*x]", "\x00", "a: " + "[" * 60 + "]" * 60]
)
def test_what_is_no_study_is_a_study_error(text: str) -> None:
    """Anything that is no study is refused as such, whatever it is."""
    with pytest.raises(StudyError):
        read_study(text, "small.yaml")


def test_a_roster_without_its_hash_is_refused() -> None:
    """Taking the line `frozen` out does not make a frozen study free to change."""
    member = "{signing_key: a, encryption_key: b, attributes: {country: US}}"
    center = "{name: center, signing_key: c, encryption_key: d}"
    roster = f"roster:\n  center: {center}\n  sites: {{one: {member}}}\n"
    with pytest.raises(StudyError, match="'frozen' is missing"):
        read_study(varied() + roster, "small.yaml")
