"""The attacks by questions, totals and results: what each tries, and what stops it."""

from __future__ import annotations

from typing import Final

from site_agent.contract.messages import Close, Round, Shares
from tests.campaign import forging, questions
from tests.campaign.reasons import (
    AUDIT,
    FORM,
    REPLAY,
    STEPS,
    TRANSCRIPT,
)
from tests.campaign.scene import Attack, before

rounds, later_rounds, steering = (before(Round, first=number) for number in range(3))
shares, close = before(Shares), before(Close)


def guards(kind: str, number: int) -> bool:
    """Before the rounds that bring the guard's totals."""
    return kind == Round.TYPE and number in (1, 2)


def totals(kind: str, number: int) -> bool:
    """Before all that brings totals."""
    return kind == Close.TYPE or (kind == Round.TYPE and number > 0)


QUESTIONS: Final = {
    "rounds out of order": Attack(
        "skip the guard's questions",
        STEPS,
        ("wrong_round",),
        rounds,
        questions.asked(number=questions.a_later_number),
    ),
    "a transcript of another course": Attack(
        "have two hospitals see different things",
        TRANSCRIPT,
        ("transcript",),
        rounds,
        questions.asked(transcript=forging.other_open),
    ),
    "mask reuse by a second question": Attack(
        "ask two things under one mask, and subtract",
        "the ledger: one question a round",
        ("second_question",),
        later_rounds,
        questions.used_round,
    ),
    "a question before the audit": Attack(
        "lead hospitals on with invented totals",
        AUDIT,
        ("not_audited",),
        shares,
        questions.next_round,
    ),
    "beta a little off": Attack(
        "ask for sums at coefficients of the center's choice",
        REPLAY,
        ("argument", "malformed"),
        steering,
        questions.steered(questions.a_little),
    ),
    "beta that isolates a patient": Attack(
        "have one patient's risk be all of a sum",
        REPLAY,
        ("argument", "malformed"),
        steering,
        questions.steered(questions.far_away),
    ),
    "beta that is no number": Attack(
        "spoil a sum, or crash",
        REPLAY,
        ("argument", "malformed"),
        steering,
        questions.steered(questions.no_number),
    ),
    "arguments of another length": Attack(
        "have a sum run over other shapes",
        REPLAY,
        ("argument", "malformed"),
        steering,
        questions.arguments_cut,
    ),
    "one ask more or less": Attack(
        "ask for a sum that the study does not have",
        REPLAY,
        ("argument",),
        rounds,
        questions.another_ask,
    ),
    "guard totals that lie": Attack(
        "pretend that there are enough patients",
        AUDIT,
        ("false_totals",),
        guards,
        questions.false_totals(questions.a_count_more),
    ),
    "lying totals": Attack(
        "lead hospitals to other coefficients",
        AUDIT,
        ("false_totals",),
        totals,
        questions.false_totals(questions.a_count_more),
    ),
    "totals that are no numbers": Attack(
        "crash the estimators",
        AUDIT,
        ("false_totals",),
        totals,
        questions.false_totals(questions.another_number),
    ),
    "totals of another length": Attack(
        "crash the estimators", FORM, ("malformed",), totals, questions.totals_cut
    ),
    "CLOSE too early": Attack(
        "end before the last question, over a result of the center's choice",
        STEPS,
        ("not_finished",),
        rounds,
        questions.closing(),
    ),
    "CLOSE over another result": Attack(
        "have receipts for results that do not follow",
        REPLAY,
        ("other_result",),
        close,
        questions.closing(result=forging.other_open),
    ),
    "CLOSE after other rounds": Attack(
        "leave a round out of the receipt",
        STEPS,
        ("not_finished",),
        close,
        questions.closing(rounds=questions.other_rounds),
    ),
}
