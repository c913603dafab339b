"""What a document was: `doc --as-of`, `docs --as-of`, `history`."""

import sqlite3
from typing import Any

from tests.support.processes import adsindex
from tests.support.whole import Whole


def test_a_document_as_of_any_sequence(index: Whole, editor: sqlite3.Connection) -> None:
    lines: list[dict[str, Any]] = []
    for value in (11, 12, None):
        line = index.line("player", ["a", 1])
        assert line is not None
        lines.append(line)
        index.clock.ms += 1000.0
        if value is None:
            editor.execute("DELETE FROM players WHERE number = 1")
        else:
            editor.execute("UPDATE players SET value = ? WHERE number = 1", (value,))
        index.settle()
    index.close()
    data = ("--json", "--data", index.folder)
    assert [line["fields"]["value"] for line in lines] == [10, 11, 12]
    for line in lines:
        for command in (("doc", "player/a,1"), ("docs", "--where", "value < 20")):
            (found,) = adsindex(*command, "--as-of", line["sequence"], *data).jsonl
            assert (found["sequence"], found["fields"]) == (line["sequence"], line["fields"])
    assert adsindex("doc", "player/a,1", *data).code == 3
    history = adsindex("history", "player/a,1", *data)
    assert history.code == 0, history
    newest, *older = history.jsonl
    assert newest["what"] == "deleted" and [line["at"] for line in older] == [line["sequence"] for line in lines[::-1]]
