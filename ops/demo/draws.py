"""Single random values: instants, days, schedules, one of several or NULL."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

Rows = Iterable[tuple[Any, ...]]

FIRST_DAY = date(2026, 1, 1)
_FIRST_INSTANT = datetime(2026, 1, 1)  # noqa: DTZ001  (the database holds UTC without saying so)


def instant(random: Random) -> str:
    """A second of 2026, as databases print it."""
    return str(_FIRST_INSTANT + timedelta(seconds=random.randrange(300 * 86_400)))


def day(random: Random) -> str:
    """A day of 2026."""
    return str(FIRST_DAY + timedelta(days=random.randrange(360)))


def schedule(random: Random) -> str | None:
    """Business hours, evenings, overlapping rules; half have none."""
    if random.random() < 0.5:
        return None
    rules = [{"days": [0, 1, 2, 3, 4], "from": 9, "to": 17}]
    if random.random() < 0.5:
        start = random.randrange(20)
        rules.append({"days": random.sample(range(7), 3), "from": start, "to": random.randrange(start, 25)})
    return json.dumps(rules[random.randrange(2) :])


def maybe(random: Random, share: float, values: Sequence[str]) -> str | None:
    """One of the values, or NULL in `share` of all cases."""
    return None if random.random() < share else random.choice(values)
