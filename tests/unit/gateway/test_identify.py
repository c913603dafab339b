"""Who the source is: attached, detached, replaced by another file, restored, taken on purpose as it is now."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.capture.sqlite.capture import SqliteCapture
from gateway.identify import attach
from gateway.progress import ProgressLog
from ops.brokers.memory import MemoryLog
from proto.errors import SettingsError
from tests.support.source import SOURCE, World, flows_of, table

FLOWS = flows_of(table("ads", {"id": "int", "bid": "int"}))
SETUP = "CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER); INSERT INTO ads VALUES (1, 1), (2, 2), (3, 3)"
STOPPED = "adsindex source attach --new-incarnation"
Worlds = Callable[..., World]


@pytest.fixture
def shop(world: Worlds) -> World:
    made = world(FLOWS, SETUP, journal="delete")
    made.drain()
    made.sql("UPDATE ads SET bid = 10")
    made.drain()
    return made


def replace_file(shop: World, other: str) -> None:
    """Another file is moved over the source, under the running gateway."""
    shop.editor.close()
    shutil.move(other, shop.path)
    shop.editor = sqlite3.connect(shop.path, isolation_level=None)


def take_as_it_is(shop: World) -> None:
    """What the command does, in another process."""
    capture = SqliteCapture(shop.url)
    attach(SOURCE, capture, ProgressLog(shop.log, SOURCE).load(), new_incarnation=True)
    capture.close()


def assert_stopped(shop: World) -> None:
    for _ in range(2):
        with pytest.raises(SettingsError, match=STOPPED):
            shop.gateway.step(10)
    shop.restart()
    with pytest.raises(SettingsError, match=STOPPED):
        shop.gateway.step(10)


def assert_taken(shop: World) -> None:
    take_as_it_is(shop)
    units = shop.drain()
    assert not shop.differences()
    assert {unit.incarnation for unit in units} == {2} and not any(unit.first for unit in units)
    shop.sql("UPDATE ads SET bid = 77 WHERE id = 3")
    shop.drain()
    shop.restart()
    assert shop.drain() == [] and not shop.differences()


def test_another_file_in_its_place_stops_the_source(shop: World) -> None:
    other = str(shop.path) + ".other"
    fresh = sqlite3.connect(other)
    fresh.executescript("CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER); INSERT INTO ads VALUES (3, 1)")
    fresh.close()
    replace_file(shop, other)
    assert_stopped(shop)
    assert_taken(shop)


def test_a_file_that_was_attached_elsewhere_stops_the_source(shop: World, world: Worlds) -> None:
    elsewhere = world(FLOWS, SETUP, journal="delete")
    elsewhere.drain()
    elsewhere.gateway.close()
    replace_file(shop, str(elsewhere.path))
    assert_stopped(shop)
    assert_taken(shop)


def test_a_backup_put_back_stops_the_source(shop: World) -> None:
    backup = str(shop.path) + ".backup"
    shutil.copy(shop.path, backup)
    shop.sql("UPDATE ads SET bid = 11", "DELETE FROM ads WHERE id = 2")
    shop.drain()
    replace_file(shop, backup)
    assert_stopped(shop)
    assert_taken(shop)


def test_a_backup_put_back_that_went_on_beyond_the_position_stops_the_source(shop: World) -> None:
    backup = str(shop.path) + ".backup"
    shutil.copy(shop.path, backup)
    shop.sql("UPDATE ads SET bid = 11", "DELETE FROM ads WHERE id = 2")
    shop.drain()
    replace_file(shop, backup)
    shop.sql(*[f"UPDATE ads SET bid = {bid}" for bid in range(10)], "UPDATE adsindex_changes SET at_ms = at_ms + 1")
    assert_stopped(shop)
    assert_taken(shop)


def test_a_copy_of_the_same_state_goes_on(shop: World) -> None:
    copy = str(shop.path) + ".copy"
    shutil.copy(shop.path, copy)
    replace_file(shop, copy)
    assert shop.drain() == []
    shop.sql("UPDATE ads SET bid = 12")
    shop.drain()
    assert not shop.differences()


def test_a_restore_in_place_stops_the_source(shop: World) -> None:
    backup = sqlite3.connect(str(shop.path) + ".backup")
    shop.editor.backup(backup)
    shop.sql("DELETE FROM ads WHERE id = 2")
    shop.drain()
    backup.backup(shop.editor)
    backup.close()
    assert_stopped(shop)
    assert_taken(shop)


def test_detached_while_it_runs_stops_the_source(shop: World) -> None:
    other = SqliteCapture(shop.url)
    other.detach()
    other.close()
    assert_stopped(shop)
    assert_taken(shop)


def test_a_change_log_that_somebody_emptied_stops_the_source(shop: World) -> None:
    shop.sql("UPDATE ads SET bid = 13", "UPDATE ads SET bid = 14", "DELETE FROM adsindex_changes WHERE sequence = 5")
    with pytest.raises(SettingsError, match="removed"):
        shop.gateway.step(10)


def test_attach_before_the_first_run_and_again(world: Worlds) -> None:
    shop = world(FLOWS, SETUP)
    capture = SqliteCapture(shop.url)
    first = attach(SOURCE, capture, None)
    assert attach(SOURCE, capture, None) == first and first.incarnation == 1
    shop.drain()
    known = ProgressLog(shop.log, SOURCE).load()
    assert attach(SOURCE, capture, known) == first
    capture.close()
    assert not shop.differences()


def test_attach_twice_with_a_new_incarnation_is_one(shop: World) -> None:
    take_as_it_is(shop)
    assert_taken(shop)


def test_attach_refuses_another_database_unless_it_is_told_to(shop: World, world: Worlds) -> None:
    known = ProgressLog(shop.log, SOURCE).load()
    other = world(FLOWS, SETUP)
    with pytest.raises(SettingsError, match=STOPPED):
        attach(SOURCE, other.gateway._capture, known)


def read_into(shop: World, folder: Path) -> None:
    """A second index of the same database begins, in a folder of its own; and ends."""
    other, log = shop.folder, shop.log
    shop.folder, shop.log = folder, MemoryLog()
    try:
        shop.restart()
        shop.gateway.step(10)
    finally:
        shop.folder, shop.log = other, log


def use(folder: Path) -> Path:
    folder.mkdir()
    (folder / "data.mdb").touch()
    return folder


def test_a_source_feeds_one_data_folder(shop: World, tmp_path: Path) -> None:
    use(shop.folder)
    second = use(tmp_path / "second")
    for _ in range(2):
        with pytest.raises(SettingsError, match=f"feeds the data folder {shop.folder} already"):
            read_into(shop, second)
    shop.sql("UPDATE ads SET bid = 20")
    shop.restart()
    shop.drain()
    assert not shop.differences()


@pytest.mark.parametrize("gone", ["renamed", "emptied"])
def test_a_data_folder_that_is_gone_holds_no_source(shop: World, tmp_path: Path, gone: str) -> None:
    second = use(tmp_path / "second")
    if gone == "renamed":
        use(shop.folder).rename(tmp_path / "kept")
    else:
        shop.folder.mkdir()
    read_into(shop, second)
    with pytest.raises(SettingsError, match=f"feeds the data folder {second} already"):
        read_into(shop, use(tmp_path / "third"))


def test_a_data_folder_by_another_name_is_the_same(shop: World, tmp_path: Path) -> None:
    use(shop.folder)
    (tmp_path / "link").symlink_to(shop.folder)
    shop.folder = tmp_path / "link"
    shop.restart()
    assert shop.drain() == []


def test_a_copy_of_the_database_may_feed_another_folder(shop: World, tmp_path: Path) -> None:
    use(shop.folder)
    copy = tmp_path / "staging.db"
    shutil.copy(shop.path, copy)
    shop.url = f"sqlite:///{copy}"
    read_into(shop, use(tmp_path / "second"))


def test_a_source_that_an_older_program_has_attached_is_claimed(shop: World, tmp_path: Path) -> None:
    for column in ("folder", "file"):
        shop.sql(f"ALTER TABLE adsindex_source DROP COLUMN {column}")
    use(shop.folder)
    shop.restart()
    shop.drain()
    assert not shop.differences()
    with pytest.raises(SettingsError, match="feeds the data folder"):
        read_into(shop, use(tmp_path / "second"))
