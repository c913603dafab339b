"""Somebody plants a mistake of each kind; the first screen of the report shows it, and says what it is."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.system.devrun.conftest import Devrun, Plant


class Mistake(NamedTuple):
    """An edit, and what the report must say about which field."""

    file: str
    old: str
    new: str
    field: str
    sentence: str


MISTAKES = [
    [
        Mistake(  # a rare error
            "fields/bid.py",
            "    bid = own_bid\n",
            "    bid = own_bid if own_bid is None or own_bid % 30 else own_bid / 0\n",
            "effective_bid_micros",
            "ZeroDivisionError: division by zero at bid.py:37: ad/",
        ),
        Mistake(  # micros for units
            "fields/budget.py",
            "max(daily_budget_micros - (spent_micros or 0), 0)",
            "max(daily_budget_micros - (spent_micros or 0), 0) // MICROS",
            "remaining_budget_micros",
            "1,000,000 times smaller",
        ),
        Mistake(  # NULLs that were not there
            "fields/quality.py",
            'return f"{width // divisor}:{height // divisor}"',
            'return f"{width // divisor}:{height // divisor}" if divisor > 50 else None',
            "aspect_ratio",
            "becomes NULL on",
        ),
        Mistake(  # few documents, strongly
            "fields/quality.py", "score >= 0.8", "score > 0.82", "quality_tier", "these strongly"
        ),
        Mistake(  # a field that nobody has touched
            "fields/bid.py",
            '"VIDEO": "VIDEO_VIEW"',
            '"VIDEO": "IMPRESSION"',
            "billing_event",
            "although its own code is the same",
        ),
        Mistake(  # twice the time
            "fields/delivery.py",
            "    url = landing_url or pin_link\n",
            "    url = landing_url or pin_link\n    sum(range(2_000))\n",
            "click_url",
            "us a document",
        ),
    ],
    [
        Mistake(  # a sign
            "fields/budget.py",
            "max(daily_budget_micros - (spent_micros or 0), 0)",
            "(spent_micros or 0) - daily_budget_micros",
            "remaining_budget_micros",
            "flips its sign on",
        ),
        Mistake(  # chance
            "fields/text.py",
            "return sorted(set(_WORD.findall(text.casefold())))",
            "import random\n    return sorted(_WORD.findall(text.casefold()), key=lambda word: random.random())",
            "search_terms",
            "gives another value when it is computed again",
        ),
        Mistake(  # a handler's columns, and the field that copies one of them
            "handlers/pacing.py", "pace < BEHIND_BELOW", "pace < 2 * BEHIND_BELOW", "campaigns.pace_state", "changes on"
        ),
        Mistake(  # another type
            "fields/schedule.py", "else max((ends_on - starts_on).days + 1, 0)",
            "else str((ends_on - starts_on).days + 1)", "flight_days", "ValueTypeError",
        ),
        Mistake(  # a date that is off
            "fields/schedule.py", "return sum(", "return -1 + sum(", "active_hours_per_week", "changes on"
        ),
    ],
]  # fmt: skip


@pytest.mark.parametrize("mistakes", MISTAKES, ids=["six", "five"])
def test_mistakes_are_on_the_first_screen(mistakes: Sequence[Mistake], devrun: Devrun, plant: Plant) -> None:
    edits = [text for mistake in mistakes for text in mistake[:3]]
    ran = devrun("--handlers", plant(*edits), "--sample", 400)
    assert ran.code == 0
    _, *blocks = re.split(r"^ ?\d+  (?=\S)", ran.screen(), flags=re.MULTILINE)
    for mistake in mistakes:
        (block,) = (one for one in blocks if one.startswith(f"{mistake.field}  "))
        assert mistake.sentence in block
    assert len(blocks) <= len(mistakes) + 2, blocks


def test_the_same_code_differs_in_nothing(devrun: Devrun, plant: Plant) -> None:
    ran = devrun("--handlers", plant(), "--sample", 50)
    assert ran.code == 0
    assert "no field changes" in ran.output and "edited: no field's own code" in ran.output


def test_nothing_is_written(ads: Path, devrun: Devrun, plant: Plant) -> None:
    before = _contents(ads)
    ran = devrun("--handlers", plant("fields/bid.py", "return None", "return 1"), "--sample", 20)
    assert ran.code == 0
    assert _contents(ads) == before


def _contents(folder: Path) -> dict[str, bytes]:
    """Of all files; LMDB's lock file says who reads."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.name != "lock.mdb"}
