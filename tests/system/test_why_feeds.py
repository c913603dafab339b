"""What `why` says of rows that are sent, not read from a database."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from ops.installation import Installation, save_installation
from proto.flows.loader import loads
from tests.support.whole import Whole
from tests.system.club import FLOWS
from tests.system.test_why import finding, why


def test_a_missing_row_of_a_feed_is_to_be_sent_and_no_key_to_be_changed(
    tmp_path: Path, editor: sqlite3.Connection, whole: Callable[..., Whole]
) -> None:
    scores = '[tables.scores]\nfeed = true\nkey = "number"\ncolumns = { number = "int", score = "float" }\n'
    flows = FLOWS.replace('"team_id -> teams" }', '"team_id -> teams", score = "number -> scores" }') + (
        f'score = "score.score"\n\n{scores}'
    )
    made = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(flows), (), "scored")
    save_installation(made.folder, Installation(made.sources))
    made.settle()
    step = finding(why(made), "reference_missing").next_step
    assert step == "send scores/1 (adsindex ingest, adsindex backfill)"
