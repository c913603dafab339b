"""Changed flows and handlers: adopted when nobody else runs, refused otherwise; documents are rebuilt."""

import re
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from argus.api import field
from ops.cli.app import run
from ops.engine.liveness import Liveness
from ops.settings import load_settings
from ops.wiring.store import open_store
from proto.errors import SettingsError
from proto.flows.loader import loads
from proto.lane import Lane
from proto.record import decode_document
from tests.support.functions import module_of
from tests.support.processes import Daemon, adsindex, command
from tests.support.whole import Whole
from tests.system.club import FLOWS, club

MORE = FLOWS + 'team_id = "team.id"\n'


def test_a_plain_field_by_one_entry(index: Whole, editor: sqlite3.Connection) -> None:
    before = index.lines("player")
    index.restart(loads(MORE))
    assert index.process.admission.adopted and index.process.admission.number == 2
    index.settle()
    assert [line["fields"] for line in index.lines("player")] == [{**line["fields"], "team_id": 1} for line in before]
    lanes = [delta.lane for delta in index.published()]
    assert lanes[-2:] == [Lane.LOW, Lane.LOW]
    editor.execute("UPDATE players SET value = 1")
    index.settle()
    assert [line["fields"]["value"] for line in index.lines("player")] == [1, 1]
    index.restart(loads(FLOWS))
    index.settle()
    assert all("team_id" not in line["fields"] for line in index.lines("player")), "and back again"


def test_a_column_that_was_not_captured_before(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("ALTER TABLE players ADD COLUMN nick TEXT")
    editor.execute("UPDATE players SET nick = 'n' || number")
    index.settle()
    text = FLOWS.replace('value = "int" }', 'value = "int", nick = "str" }') + 'nick = "nick"\n'
    index.restart(loads(text))
    index.settle()
    assert [line["fields"]["nick"] for line in index.lines("player")] == ["n1", "n2"]


def test_a_column_of_another_type_whose_values_look_equal(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET value = number - 1")
    for type in ("bool", "float", "int"):
        index.settle()
        index.restart(loads(FLOWS.replace('value = "int"', f'value = "{type}"')))
        index.settle()
        found = [line["fields"]["value"] for line in index.lines("player")]
        assert repr(found) == {"bool": "[False, True]", "float": "[0.0, 1.0]", "int": "[0, 1]"}[type]


def test_documents_wait_for_a_new_column_rather_than_show_null(index: Whole, editor: sqlite3.Connection) -> None:
    """It decides about being servable: read too early, it would take everything out of service."""
    editor.execute("ALTER TABLE teams ADD COLUMN league INTEGER DEFAULT 7")
    text = FLOWS.replace('weight = "float" }', 'weight = "float", league = "int" }').replace(
        "team.name is not null", "team.league = 7"
    )
    published = len(list(index.published()))
    index.restart(loads(text + 'league = "team.league"\n'))
    editor.execute("UPDATE players SET value = value + 1")
    index.settle()
    names = index.process.store.schemas.names
    new = [decode_document(delta.content) for delta in list(index.published())[published:]]
    assert new and all(one.servable for one in new)
    assert {dict(zip(names(one.schema), one.values or (), strict=True))["league"] for one in new} == {7}
    assert [line["fields"]["value"] for line in index.lines("player")] == [
        11,
        21,
    ]


TEAM = FLOWS + '\n[documents.team]\nroot = "teams"\n\n[documents.team.fields]\nname = "name"\n'
CHANGES = {
    "a comment": (TEAM + "# more\n", {"player": 0, "team": 0}),
    "owner": (TEAM.replace('name = "name"', 'name = { from = "name", owner = "me" }'), {"player": 0, "team": 0}),
    "a field of one type": (TEAM + 'weight = "weight"\n', {"player": 0, "team": 1}),
    "a field less": (TEAM.replace('shirt = "shirt"\n', ""), {"player": 2, "team": 0}),
    "a condition": (TEAM.replace("value > 0", "value >= 0"), {"player": 2, "team": 0}),
    "a limit on the way": (TEAM.replace("limit 3", "limit 2"), {"player": 2, "team": 0}),
    "a lane of what both read": (TEAM.replace('"low" }', '"low", name = "low" }'), {"player": 2, "team": 1}),
    "a column that nobody reads": (
        TEAM.replace('minute = "int" }', 'minute = "int", x = "int" }'),
        {"player": 0, "team": 0},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_only_what_a_change_can_matter_to_is_built_again(index: Whole, editor: sqlite3.Connection, change: str) -> None:
    editor.execute("ALTER TABLE goals ADD COLUMN x INTEGER DEFAULT 1")
    index.restart(loads(TEAM))
    index.settle()
    text, built = CHANGES[change]
    index.restart(loads(text))
    index.settle()
    parts = index.process.built.parts  # type: ignore[union-attr]
    assert {name: builder.counts.built for name, builder in parts.builders.items()} == built
    assert parts.lifecycle.settled
    editor.execute("UPDATE teams SET name = 'Blues'")
    index.settle()
    assert [line["fields"]["team"] for line in index.lines("player")] == ["Blues", "Blues"]
    assert [line["fields"]["name"] for line in index.lines("team")] == ["Blues"]


def made(version: int, factor: int) -> Any:
    @field(inputs={"value": "value"}, version=version, document="player")
    def scaled(value: int | None) -> int:
        return factor * (value or 0)

    return module_of(scaled)


def test_a_new_version_of_a_computed_field_rebuilds(index: Whole) -> None:
    for version, factor in ((1, 2), (2, 3)):
        index.restart(handlers=[made(version, factor)])
        index.settle()
        assert [line["fields"]["scaled"] for line in index.lines("player")] == [10 * factor, 20 * factor]
    published = index.process.built.parts.builders["player"].counts.built  # type: ignore[union-attr]
    index.restart(handlers=[made(2, 5)])
    index.settle()
    assert published and index.process.built.parts.builders["player"].counts.built == 0, "the same version: nothing"  # type: ignore[union-attr]


def test_another_process_with_other_flows_is_refused(tmp_path: Path, whole: Any) -> None:
    club(tmp_path / "club.db").close()
    (tmp_path / "flows.toml").write_text(FLOWS)
    (tmp_path / "more.toml").write_text(MORE)
    source = ("--source", f"sqlite:///{tmp_path / 'club.db'}", "--data", tmp_path / "data")
    daemon = Daemon(command("run", *source, "--flows", tmp_path / "flows.toml"), tmp_path / "out.txt")
    try:
        daemon.says("live")
        refused = adsindex("run", *source, "--flows", tmp_path / "more.toml")
        assert refused.code == 2 and "stop the other processes first" in refused.errors, refused
        assert daemon.stop() == 0
    finally:
        daemon.kill()
    again = Daemon(command("run", *source, "--flows", tmp_path / "more.toml"), tmp_path / "out2.txt")
    try:
        again.says("changed: documents of type player are rebuilt in the Low lane")
        again.says("live")
        assert adsindex("wait", "--data", tmp_path / "data").code == 0
        lines = adsindex("docs", "--json", "--data", tmp_path / "data").jsonl
        assert [line["fields"]["team_id"] for line in lines] == [1, 1]
    finally:
        again.kill()


MISTAKES = {
    "an unknown table": ('root = "players"', 'root = "playrs"', "did you mean 'players'?"),
    "a reference loop": (
        'lanes = { weight = "low" }',
        'lanes = { weight = "low" }\nreferences = { top = "(name, id) -> players" }',
        "loop",
    ),
    "a missing handler": ('shirt = "shirt"', 'shirt = { handler = "shirt_of" }', "shirt_of"),
    "a type that doesn't exist": ('weight = "float"', 'weight = "flaot"', "did you mean 'float'?"),
    "a reference of another type": ('team_id = "int"', 'team_id = "bytes"', "team_id"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_flows_file(tmp_path: Path, mistake: str, capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong, told = MISTAKES[mistake]
    assert FLOWS.count(right) == 1
    text = FLOWS.replace(right, wrong)
    (tmp_path / "flows.toml").write_text(text)
    club(tmp_path / "club.db").close()
    source = ("--source", f"sqlite:///{tmp_path / 'club.db'}", "--data", str(tmp_path / "data"))
    assert run(["run", *source, "--flows", str(tmp_path / "flows.toml")]) == 2
    shown = "".join(capsys.readouterr().err.split("\n"))
    assert told in shown and re.search(r"flows\.toml:\d+: ", shown), shown


def test_a_data_folder_of_a_newer_format(index: Whole) -> None:
    environment = index.process.store.environment
    with environment.write() as transaction:
        transaction.put(b"format", b"2", db=environment.database("meta"))
    index.close()
    with pytest.raises(SettingsError, match=r"has format 2, this program knows 1.*adsindex rebuild"):
        open_store(index.folder, load_settings(index.folder, {}).settings)


def test_a_process_that_has_just_begun_is_no_older_one(index: Whole) -> None:
    """Between its first moment and the admission of its flows it can't say which it has."""
    other = Liveness(index.folder)
    other.hold("other")
    saying = threading.Timer(0.1, other.say, [index.process.admission.number])
    saying.start()
    index.restart(index.flows)
    assert not saying.is_alive(), "it was waited for"
    other.close()
