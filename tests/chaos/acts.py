"""What can happen to a running shop: each act takes the play and its randomness, and says what it did."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.support.processes import Daemon, adsindex

TABLES = ("categories", "publishers", "books", "authors", "stock", "orders", "order_lines")
LANES = ("high", "medium", "low")


class Stage(Protocol):
    """What acts act on."""

    @property
    def shop(self) -> sqlite3.Connection: ...

    @property
    def daemons(self) -> list[Daemon]: ...

    def start_again(self, number: int) -> None:
        """Ends this process if it still runs, and starts another in its place."""

    def command(self, *arguments: str) -> None:
        """`adsindex ... --data` of the play."""

    def change_flows(self) -> None:
        """Processes that start from now on have other flows, or the first ones again."""


def killed(play: Stage, random: Random) -> str:
    number = random.randrange(len(play.daemons))
    play.start_again(number)
    return f"kill -9 of process {number}"


def terminated(play: Stage, random: Random) -> str:
    number = random.randrange(len(play.daemons))
    if play.daemons[number].process.poll() is None:
        play.daemons[number].stop()
    play.start_again(number)
    return f"SIGTERM of process {number}"


def stopped(play: Stage, random: Random) -> str:
    number = random.randrange(len(play.daemons))
    process = play.daemons[number].process
    if process.poll() is None:
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(random.uniform(0.1, 1.5))
        os.kill(process.pid, signal.SIGCONT)
    return f"process {number} stood still"


def column_added(play: Stage, random: Random) -> str:
    table = random.choice(TABLES)
    return _sql(play, f"ALTER TABLE {table} ADD COLUMN extra{random.randrange(10**6)} TEXT DEFAULT 7")


def column_dropped(play: Stage, random: Random) -> str:
    table = random.choice(TABLES)
    extras = [row[1] for row in play.shop.execute(f"PRAGMA table_info({table})") if row[1].startswith("extra")]
    return _sql(play, f"ALTER TABLE {table} DROP COLUMN {extras[0]}") if extras else "no column to drop"


def table_made_again(play: Stage, random: Random) -> str:
    """As migration tools do it: our triggers go with the old one."""
    table = random.choice(TABLES)
    (text,) = play.shop.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    body = text[text.index("(") :]
    return _sql(
        play, "BEGIN IMMEDIATE", f"CREATE TABLE new_{table} {body}", f"INSERT INTO new_{table} SELECT * FROM {table}",
        f"DROP TABLE {table}", f"ALTER TABLE new_{table} RENAME TO {table}", "COMMIT",
    )  # fmt: skip


def triggers_lost(play: Stage, random: Random) -> str:
    names = [row[0] for row in play.shop.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()]
    return _sql(play, *(f'DROP TRIGGER "{name}"' for name in names if random.random() < 0.6))


def vacuumed(play: Stage, random: Random) -> str:
    return _sql(play, "VACUUM")


def used_column_away_and_back(play: Stage, random: Random) -> str:
    said = _sql(play, "ALTER TABLE books RENAME COLUMN rating TO stars")
    time.sleep(random.uniform(0.0, 1.0))
    while "stars" in [row[1] for row in play.shop.execute("PRAGMA table_info(books)")]:
        said = f"{said}; {_sql(play, 'ALTER TABLE books RENAME COLUMN stars TO rating')}"
    return said


def flows_changed(play: Stage, random: Random) -> str:
    """Sometimes all processes have them at once, sometimes one, which waits until the others have ended."""
    play.change_flows()
    for number in range(len(play.daemons)) if random.random() < 0.7 else (0,):
        play.start_again(number)
    return "the flows changed"


def paused_or_resumed(play: Stage, random: Random) -> str:
    what = random.choice(("pause", "resume"))
    subject = random.choice((("publish", what), *(("lanes", what, lane) for lane in LANES)))
    play.command(*subject)
    return " ".join(subject)


def resumed(folder: object) -> None:
    """Everything goes on."""
    for subject in (("publish", "resume"), *(("lanes", "resume", lane) for lane in LANES)):
        adsindex(*subject, "--data", folder)


def _sql(play: Stage, *statements: str) -> str:
    """One after another; others hold the database or meddle with it: then it did not happen."""
    said = "; ".join(statements)
    try:
        for statement in statements:
            play.shop.execute(statement)
    except sqlite3.Error as error:
        if play.shop.in_transaction:
            play.shop.execute("ROLLBACK")
        return f"{said}: {error}"
    return said


ACTS: tuple[Callable[[Stage, Random], str], ...] = (
    killed, killed, terminated, stopped, column_added, column_dropped, table_made_again, triggers_lost, vacuumed,
    used_column_away_and_back, flows_changed, paused_or_resumed,
)  # fmt: skip

UNCAPTURED = {triggers_lost, table_made_again, used_column_away_and_back}
"""After these, for a while, a table is not what it was when its neighbours were read."""
