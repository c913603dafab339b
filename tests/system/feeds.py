"""The club with two tables that are fed: scores of players, and notes that refer to teams; and files of their rows."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.system.club import FLOWS

FED = FLOWS.replace(
    'references = { team = "team_id -> teams" }',
    'references = { team = "team_id -> teams", score = "(club, number) -> scores" }',
)
FED += """
score = "score.score"
trend = "score.trend"
notes = "team.notes.text"

[tables.scores]
feed = true
key = ["club", "number"]
lane = "medium"
columns = { club = "str", number = "int", score = "float", trend = "json" }

[tables.notes]
feed = true
key = "id"
lane = "low"
columns = { id = "int", team_id = "int", text = "str" }
"""
FED = FED.replace(
    'lanes = { weight = "low" }', 'lanes = { weight = "low" }\ncollections = { notes = "notes.team_id order by id" }'
)


def score(number: int, points: float | None, **more: Any) -> dict[str, Any]:
    return {"club": "a", "number": number, "score": points, "trend": [points], **more}


def jsonl(path: Path, rows: Iterable[Any]) -> Path:
    """Texts are lines as they stand."""
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path
