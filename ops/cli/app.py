"""`adsindex`: the command line. COMMANDS is the one place where a command is registered."""

import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

from cyclopts import App, CycloptsError, Group

from ops.cli.exit_codes import INTERRUPTED, OK, USAGE, WRONG
from ops.cli.render import note
from proto.errors import AdsIndexError, SettingsError


class Command(NamedTuple):
    """target: "module:function", or "module:app" for a command with subcommands; imported when it is called.

    The function's docstring is its help, an example in it; it returns an exit code (ops.cli.exit_codes).
    """

    name: str
    target: str
    group: Group
    summary: str


RUN, LOOK = Group("Run", sort_key=0), Group("Look", sort_key=1)
ACT, SET_UP = Group("Act", sort_key=2), Group("Set up", sort_key=3)
OPTIONS = Group("Options", sort_key=4)
COMMANDS = (
    Command("doc", "ops.cli.documents:doc", LOOK, "Show one document, as it is or as it was."),
    Command("docs", "ops.cli.documents:docs", LOOK, "Print all documents of one snapshot, one a line."),
    Command("fixture", "ops.cli.fixture:fixture", LOOK, "Write the rows around a document as JSON, for a test."),
    Command("tail", "ops.cli.tail:tail", LOOK, "Follow what is published, or another topic."),
    Command("row", "ops.cli.rows:row", LOOK, "Show a row: values, when each changed, who wrote it."),
    Command("history", "ops.cli.history:history", LOOK, "Show how a document or a row changed."),
    Command("why", "ops.cli.why:why", LOOK, "Say why a document is served, or is not."),
    Command("trace", "ops.cli.trace:trace", LOOK, "Show what the last changes of a document went through."),
    Command("used", "ops.cli.used:used", LOOK, "Show which documents used a row, a function, a signal."),
    Command("status", "ops.cli.status:status", LOOK, "Show what runs, how far behind it is, what is wrong."),
    Command("oracle", "ops.cli.oracle:oracle", LOOK, "Show which timestamp oracle leads, and what its rounds hold."),
    Command("signals", "ops.cli.signals:signals", LOOK, "Show how signals are doing: breakers, caches, ages, errors."),
    Command("audit", "ops.cli.audit:audit", LOOK, "Show who paused, resumed, dropped, healed what, and why."),
    Command("lanes", "ops.cli.lanes:lanes", ACT, "The three lanes: look, pause, resume, drop what is stale, heal."),
    Command("publish", "ops.cli.publish:publish", ACT, "Hold what readers get to see, let it go on."),
    Command(
        "dead-letters", "ops.cli.dead_letters:dead_letters", ACT, "What could not be processed: look, replay, discard."
    ),
    Command("jobs", "ops.cli.jobs:jobs", ACT, "Fan-outs and refreshes: list, pause, resume, cancel."),
    Command("demo", "ops.cli.demo:demo", RUN, "Index a sample ads database under live edits."),
    Command("bench", "ops.cli.bench:bench", RUN, "Measure load, trickle, burst and fan-out."),
    Command("devrun", "ops.cli.devrun:devrun", RUN, "Compare new fields and handlers with those that run."),
    Command("run", "ops.cli.run:run", RUN, "Run the index on your own database."),
    Command("cluster", "ops.cli.cluster:cluster", RUN, "ZooKeeper and HBase on this machine: start, look, stop."),
    Command("wait", "ops.cli.wait:wait", RUN, "Wait until everything committed so far is servable."),
    Command("source", "ops.cli.source:source", SET_UP, "Attach a database, or let go of it."),
    Command("backfill", "ops.cli.backfill:backfill", RUN, "Bring rows of a feed from Parquet or JSON Lines."),
    Command("ingest", "ops.cli.ingest:ingest", RUN, "Send rows of a feed to a running index, by gRPC."),
    Command("rebuild", "ops.cli.rebuild:rebuild", ACT, "Throw the index away; the next run makes it again."),
    Command("init", "ops.cli.init:init", SET_UP, "Write a first flows file from a database."),
    Command("flows", "ops.cli.flows:flows", SET_UP, "The flows file: check, compare, admit, show."),
    Command("config", "ops.cli.config:config", SET_UP, "Show the settings in effect."),
    Command("doctor", "ops.cli.doctor:doctor", SET_UP, "Check everything that can be checked, and say how to mend it."),
)


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns its exit code. Errors are printed for people, on standard error."""
    try:
        code = _app(arguments)(list(arguments), exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError:  # it has printed what is wrong
        return USAGE
    except SettingsError as error:
        note(f"adsindex: {error}")
        return USAGE
    except AdsIndexError as error:
        note(f"adsindex: {error}")
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        note(f"adsindex: a disk is full: free some space, and try again ({error})")
        return WRONG
    return code if isinstance(code, int) else OK


def _app(arguments: Sequence[str]) -> App:
    app = App(
        name="adsindex",
        help="An edit in SQL becomes a servable document in milliseconds, whole, never torn.",
        help_format="plaintext",
        version=version("adsindex"),
        suppress_keyboard_interrupt=False,
        group_commands=OPTIONS,
    )
    for command in COMMANDS:
        # Without a summary cyclopts imports the command for its docstring: right for its help, slow for the list.
        summary = None if command.name in arguments[:1] else command.summary
        app.command(command.target, name=command.name, group=command.group, help=summary)
    return app
