"""`adsindex dead-letters`: what could not be processed; look, try again, or give up."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter

from argus.fixture import Fixture
from ops.cli import render
from ops.cli.acts import record
from ops.cli.exit_codes import NOT_FOUND, OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine import replay as engine
from ops.opened import DataFolder, opened
from ops.rows_around import around_letter
from ops.times import ago, iso
from proto.errors import AdsIndexError, InvalidMessageError, SettingsError
from proto.lane import Lane
from proto.ports.dead_letters import DeadLetterEntry

dead_letters = App(name="dead-letters", help="What could not be processed, and why.", help_format="plaintext")

_RECORDED_MAX = 10  # dead letters that a line of the audit record names

Subjects = Annotated[str, Parameter(help="Subjects as `list` shows them, e.g. ads/4711.")]
All = Annotated[bool, Parameter(name="--all", negative=(), show_default=False, help="Every one.")]
Stage = Annotated[str | None, Parameter(help="Only of this stage: capture, apply, build, handle, publish.")]


@dead_letters.command(name="list")
def list_(*, stage: Stage = None, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """List dead letters.

    For example:

        adsindex dead-letters list --stage apply
    """
    with opened(data) as folder:
        found = _chosen(folder, (), stage, everything=True)
        now_ms = folder.clock.now_ms()
    if json:
        for entry in found:
            render.print_json(_as_json(entry))
    elif not found:
        render.print_line("no dead letters")
    else:
        rows = [
            (str(number), entry.stage, entry.subject, entry.column, ago(entry.last_ms, now_ms), entry.reason)
            for number, entry in enumerate(found, 1)
        ]
        render.print_table(("", "stage", "subject", "column", "last", "reason"), rows, right=(0,))
    return OK


@dead_letters.command
def show(
    subject: Annotated[str, Parameter(help="As `list` shows it, e.g. ads/4711; or its number there.")],
    /,
    *,
    stage: Stage = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show one dead letter, whole. Exit code 3: there is none.

    With --json what failed to build or to be handled comes with the rows around it, sensitive columns masked: paste it
    into a test, and HandlerEnvironment(...).replay(LETTER) fails there as it failed here.

    For example:

        adsindex dead-letters show ads/4711
        adsindex dead-letters show 1 --json
    """
    with opened(data) as folder:
        found = _chosen(folder, (_by_number(folder, subject, stage),), stage)
        fixtures = [_fixture(folder, entry) for entry in found] if json else []
    if not found:
        render.note(f"no dead letter has the subject {subject!r}")
        return NOT_FOUND
    for at, entry in enumerate(found):
        if json:
            render.print_json(_as_json(entry) | ({"fixture": fixtures[at]} if fixtures[at] is not None else {}))
        else:
            render.print_title(entry.subject, entry.stage, f"column {entry.column}" if entry.column else "")
            rows = [
                (name.replace("_", " "), str(value))
                for name, value in _as_json(entry).items()
                if value not in ("", None)
            ]
            render.print_table(("", ""), rows, header=False)
    return OK


@dead_letters.command
def replay(
    *subjects: Subjects, everything: All = False, stage: Stage = None, data: Data = DEFAULT_DATA, json: Json = False
) -> int:
    """Offer them again, in the lane they came from. What fails again becomes a dead letter again.

    For example:

        adsindex dead-letters replay ads/4711
        adsindex dead-letters replay --all --stage build
    """
    with opened(data) as folder:
        chosen = _chosen(folder, subjects, stage, everything)
        done = 0
        with folder.log.group():
            for entry in chosen:
                try:
                    done += engine.replay(folder.log, folder.dead_letters, entry.stage, entry.subject)
                except InvalidMessageError as error:
                    render.note(str(error))
    _print_count("replayed", done, json)
    _record(data, "replay", chosen)
    return _ended(subjects, chosen, done)


@dead_letters.command
def discard(
    *subjects: Subjects, everything: All = False, stage: Stage = None, data: Data = DEFAULT_DATA, json: Json = False
) -> int:
    """Forget them. What they were about stays as it is: a row keeps its older values, a document its older version.

    For example:

        adsindex dead-letters discard ads/4711
    """
    with opened(data) as folder:
        chosen = _chosen(folder, subjects, stage, everything)
        with folder.log.group():
            for entry in chosen:
                engine.discard(folder.dead_letters, entry.stage, entry.subject)
    _print_count("discarded", len(chosen), json)
    _record(data, "discard", chosen)
    return _ended(subjects, chosen, len(chosen))


def _chosen(
    folder: DataFolder, subjects: Sequence[str], stage: str | None, everything: bool = False
) -> list[DeadLetterEntry]:
    if everything == bool(subjects):
        raise SettingsError("name the subjects, or pass --all (not both)")
    return [
        entry
        for entry in folder.dead_letters.entries()
        if (everything or entry.subject in subjects) and stage in (None, entry.stage)
    ]


def _record(data: Data, command: str, chosen: Sequence[DeadLetterEntry]) -> None:
    if chosen:
        first = ", ".join(f"{entry.stage} {entry.subject}" for entry in chosen[:_RECORDED_MAX])
        more = f" and {len(chosen) - _RECORDED_MAX:,} more" if len(chosen) > _RECORDED_MAX else ""
        record(data, f"dead-letters {command}", first + more)


def _by_number(folder: DataFolder, subject: str, stage: str | None) -> str:
    """The subject of the letter with this number in `list`; whatever else it is, a subject."""
    entries = _chosen(folder, (), stage, everything=True)
    if not subject.isdecimal() or any(entry.subject == subject for entry in entries):
        return subject
    return entries[int(subject) - 1].subject if 0 < int(subject) <= len(entries) else subject


def _fixture(folder: DataFolder, entry: DeadLetterEntry) -> Fixture | None:
    """The rows around it; a letter is shown without when they can't be had."""
    try:
        return around_letter(folder, entry)
    except AdsIndexError as error:
        render.note(f"{entry.subject}: its rows can't be shown: {error}")
        return None


def _ended(subjects: Sequence[str], chosen: Sequence[DeadLetterEntry], done: int) -> int:
    unknown = sorted(set(subjects) - {entry.subject for entry in chosen})
    for subject in unknown:
        render.note(f"no dead letter has the subject {subject!r}")
    return NOT_FOUND if unknown else OK if done == len(chosen) else WRONG


def _print_count(done: str, count: int, as_json: bool) -> None:
    if as_json:
        render.print_json({done: count})
    else:
        render.print_line(f"{done} {count} dead letter{'' if count == 1 else 's'}")


def _as_json(entry: DeadLetterEntry) -> dict[str, Any]:
    return {
        "stage": entry.stage,
        "subject": entry.subject,
        "table": entry.table,
        "column": entry.column,
        "reason": entry.reason,
        "attempts": entry.attempts,
        "first": iso(entry.first_ms),
        "last": iso(entry.last_ms),
        "lane": Lane(entry.lane).name.lower(),
        "topic": f"{entry.topic}/{entry.partition}" if entry.topic else "",
        "message": b64encode(entry.message).decode(),
    }
