"""The book shop as processes: those that run it, who edits it, and the judgement of its index afterwards."""

import sqlite3
import sys
from pathlib import Path

from ops.demo.compare import compare_documents, from_line
from tests.support.processes import PATIENCE_S, Daemon, adsindex, command
from tests.system.bookshop.expected import expected_documents
from tests.system.editing import TORN_BOOKS

BOOKSHOP = Path(__file__).with_name("bookshop")
FLOWS = BOOKSHOP / "flows.toml"
ROLES = ("gateway", "updater", "argus")


def run_command(folder: Path, *more: object, flows: Path = FLOWS) -> list[str]:
    """`adsindex run` on folder/shop.db with folder/data. more: roles, further handlers."""
    sources = ("--source", f"sqlite:///{folder / 'shop.db'}", "--data", folder / "data")
    return command("run", *sources, "--flows", flows, "--handlers", BOOKSHOP / "handlers.py", *more)


def editing(folder: Path, seed: int, rate: int) -> Daemon:
    """Another process that edits folder/shop.db, `rate` transactions a second, until it is killed."""
    arguments = [sys.executable, "-m", "tests.system.editing", folder / "shop.db", seed, rate]
    return Daemon(arguments, folder / "editor.txt")


def check_shop(data: Path, shop: sqlite3.Connection, whole: bool = True) -> None:
    """Waits; then every document equals the join, and everything that was ever published was in order, and whole.
    whole: False where a table was parked or its triggers were lost: the other tables went on without it."""
    waited = adsindex("wait", "--data", data, "--timeout", PATIENCE_S / 2)
    assert waited.code == 0, waited
    lines = adsindex("docs", "--json", "--data", data).jsonl
    for document_type in ("book", "order"):
        found = {one.id: one for one in (from_line(line) for line in lines if line["type"] == document_type)}
        assert len(found) > 5
        assert list(compare_documents(expected_documents(shop, document_type), found)) == []
    newest: dict[tuple[str, str], int] = {}
    for line in adsindex("tail", "documents", "--no-follow", "--json", "--data", data).jsonl:
        key = (line["type"], str(line["id"]))
        assert line["sequence"] >= newest.get(key, 0), f"{key} was published after a newer version"
        newest[key] = line["sequence"]
        if whole and line["id"] in TORN_BOOKS and line.get("fields"):
            assert line["fields"]["title"] == line["fields"]["category"], "torn"
    assert adsindex("dead-letters", "list", "--json", "--data", data).output == ""
