"""Whatever happens in whatever order: when `why` says that all is current, readers have what the database says."""

import sqlite3
from random import Random
from typing import Any

import pytest

from ops.installation import Installation, save_installation
from ops.lookup.explain import explain
from proto.codec import encode_key
from proto.lane import Lane
from serving.reader import DocumentReader
from tests.support.whole import Whole

NUMBERS = (1, 2, 3)


def edited(editor: sqlite3.Connection, random: Random) -> None:
    number, value = random.choice(NUMBERS), random.choice((-1, None, 10, 20))
    team, minute = random.choice((1, 2, None)), random.randrange(90)
    editor.execute(
        *random.choice(
            [
                ("UPDATE players SET value = ? WHERE number = ?", (value, number)),
                ("UPDATE players SET team_id = ? WHERE number = ?", (team, number)),
                ("DELETE FROM players WHERE number = ?", (number,)),
                ("INSERT OR REPLACE INTO players VALUES ('a', ?, ?, ?, ?)", (number, team, f"s{number}", value)),
                ("UPDATE OR IGNORE teams SET name = ? WHERE id = 1", (random.choice(("Reds", "Blues", None)),)),
                ("DELETE FROM teams WHERE id = ?", (random.choice((1, 2)),)),
                ("INSERT OR REPLACE INTO teams VALUES (?, ?, 1.0)", (random.choice((1, 2)), f"Team {minute}")),
                ("INSERT INTO goals (club, number, minute) VALUES ('a', ?, ?)", (number, minute)),
                ("UPDATE goals SET number = ? WHERE id = (SELECT max(id) FROM goals)", (number,)),
                ("DELETE FROM goals WHERE id = (SELECT min(id) FROM goals)", ()),
            ]
        )
    )


def expected(editor: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    row = editor.execute("SELECT team_id, shirt, value FROM players WHERE number = ?", (number,)).fetchone()
    if row is None:
        return None
    team_id, shirt, value = row
    team = editor.execute("SELECT name, weight FROM teams WHERE id = ?", (team_id,)).fetchone() or (None, None)
    goals = editor.execute("SELECT id, minute FROM goals WHERE number = ? ORDER BY minute, id LIMIT 3", (number,))
    scored = goals.fetchall()
    return {
        "shirt": shirt,
        "value": value,
        "team": team[0],
        "weight": team[1],
        "goals": [one[0] for one in scored],
        "minutes": [one[1] for one in scored],
    }


@pytest.mark.parametrize("seed", range(3))
def test_current_means_current_and_serving_means_serving(index: Whole, editor: sqlite3.Connection, seed: int) -> None:
    save_installation(index.folder, Installation(index.sources))
    random, reader = Random(seed), DocumentReader(index.data.log, index.clock)
    told: set[str] = set()
    for _ in range(30):
        if random.random() < 0.7:
            edited(editor, random)
        stages = index.process.stages
        for name in ("updater", "argus", "publisher"):
            stages[name].lanes.paused = frozenset(Lane) if random.random() < 0.3 else frozenset()
        for _ in range(random.randrange(3)):
            index.process.loop.turn()
        while reader.poll():
            pass
        for number in NUMBERS:
            key = encode_key(("main", "a", number))
            answer = explain(index.data, "player", key)
            told.add(answer.code)
            served, wanted = reader.index.get("player", key), expected(editor, number)
            assert answer.serving is (served is not None and served.servable), answer.sentence
            if answer.current:
                found = served.fields if served is not None else None
                assert found == wanted, answer.sentence
                assert (answer.code in ("unknown_id", "not_in_source")) is (wanted is None), answer.sentence
            assert answer.code != "notify_pending", answer.sentence
    assert len(told) >= 5
