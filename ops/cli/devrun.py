"""`adsindex devrun`: sampled documents, built by the running and by new code, compared; nothing is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress

from argus.generations import load as load_generations
from batch.devrun.messages import CodeFacts
from batch.devrun.report import Report
from batch.devrun.run import Sample, compare
from batch.devrun.summary import Circumstances, summarize
from batch.devrun.thresholds import exceeded, parse_limits
from batch.devrun.world import World
from ops.addresses import shown_address
from ops.cli import render
from ops.cli.devrun_screen import print_report
from ops.cli.exit_codes import NOT_FOUND, OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data
from ops.devrun.candidates import drawn, named, with_rows
from ops.devrun.loading import Code
from ops.devrun.process import ProcessSide, sides
from ops.document_filter import conditions_of
from ops.document_view import read_documents
from ops.installation import load_installation
from ops.opened import DataFolder, opened
from ops.times import clock_time_of
from proto.errors import SettingsError
from repo.api import Snapshot

Limits = Annotated[
    list[str] | None, Parameter(negative=(), help="Fail above it: 5%, 12, or FIELD=5% for one field; several times.")
]


def devrun(
    *,
    handlers: Annotated[
        list[str] | None,
        Parameter(help="New fields and handlers: a folder or .py file in place of the running one, or a module."),
    ] = None,
    flows: Annotated[Path | None, Parameter(help="A new flows file. Without: the one that runs.")] = None,
    running: Annotated[
        list[str] | None, Parameter(help="The code that runs, if it is not any more where it was started from.")
    ] = None,
    sample: Annotated[int, Parameter(help="How many documents of each type.")] = 1000,
    where: Annotated[str | None, Parameter(help="Only documents whose fields meet an SQL condition.")] = None,
    type: Annotated[str | None, Parameter(name="--type", help="Only this document type.")] = None,
    ids: Annotated[
        list[str] | None, Parameter(consume_multiple=True, help="These documents instead of a sample.")
    ] = None,
    seed: Annotated[int, Parameter(help="The same seed draws the same sample.")] = 1,
    timeout: Annotated[float, Parameter(help="Seconds that a batch of 100 documents may take.")] = 30.0,
    max_changed: Limits = None,
    max_errors: Limits = None,
    max_new_nulls: Limits = None,
    max_shift: Limits = None,
    max_slower: Limits = None,
    data: Data = DEFAULT_DATA,
) -> int:
    """Build sampled documents with the running and with new code, at one snapshot, and show what differs.

    Writes nothing: the new code runs in a process of its own that knows no data folder. Exit code 1: a threshold is
    exceeded, or the new code crashed or hung; 2: it can't be loaded; 3: there is no such document.

    For example:

        adsindex devrun --handlers ../new/shop --sample 2000 --html report.html
        adsindex devrun --handlers rating.py --where "servable and price > 100" --max-changed 5% --max-errors 0
        adsindex devrun --flows new.toml --explain product/7
    """
    limits = {
        option: parse_limits(option, texts or ())
        for option, texts in (
            ("max-changed", max_changed), ("max-errors", max_errors), ("max-new-nulls", max_new_nulls),
            ("max-shift", max_shift), ("max-slower", max_slower),
        )
    }  # fmt: skip
    if not handlers and flows is None:
        raise SettingsError("name the new code: adsindex devrun --handlers NEW, or --flows NEW, or both")
    with opened(data) as folder, folder.repo.snapshot() as snapshot:
        old, new = _codes(folder, handlers or [], flows, running)
        try:
            documents, how = _documents(folder, snapshot, ids, type, where, sample, seed)
        except LookupError as error:
            render.note(str(error))
            return NOT_FOUND
        if not any(documents.values()):
            render.note(f"no document {'meets the condition' if where else 'is stored yet'}: nothing to compare")
            return NOT_FOUND
        world = World(snapshot, list(folder.repo.tables()), folder.schemas)
        with sides(old, new, world, timeout) as (first, second):
            chosen = with_rows(folder, snapshot, documents, (first.facts, second.facts), seed)
            circumstances = Circumstances(
                str(data), snapshot.timestamp, f"{clock_time_of(snapshot.timestamp)} UTC", seed, how,
                ", ".join(map(str, [*(handlers or []), *([flows] if flows else [])])),
            )  # fmt: skip
            report = _compared(folder, snapshot, first, second, chosen, circumstances)
    report.failures = exceeded(report, limits)
    print_report(report)
    return WRONG if report.failures or report.stopped else OK


def _codes(
    folder: DataFolder, handlers: Sequence[str], flows: Path | None, running: Sequence[str] | None
) -> tuple[Code, Code]:
    installation = load_installation(folder.path)
    stored = folder.flows.text
    now = list(running) if running else installation.handlers
    old = Code(stored, installation.flows or folder.flows.file, now, [], stored)
    if flows is None:
        return old, Code(stored, old.flows_file, now, list(handlers), stored)
    try:
        text = flows.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--flows {flows} can't be read: {error}") from None
    return old, Code(text, str(flows.resolve()), now, list(handlers), stored)


def _documents(
    folder: DataFolder,
    snapshot: Snapshot,
    ids: Sequence[str] | None,
    document_type: str | None,
    where: str | None,
    size: int,
    seed: int,
) -> tuple[dict[str, list[bytes]], str]:
    if size < 1:
        raise SettingsError(f"--sample {size}: at least one document is needed")
    if ids:
        documents = named(folder, snapshot, ids)
        return documents, ", ".join(f"{len(keys):,} {name} documents by id" for name, keys in documents.items())
    conditions = conditions_of(folder, snapshot, document_type, where)
    return drawn(folder, snapshot, conditions, where is not None, size, seed)


def _compared(
    folder: DataFolder,
    snapshot: Snapshot,
    first: ProcessSide,
    second: ProcessSide,
    sample: Sample,
    circumstances: Circumstances,
) -> Report:
    sources = folder.sources()

    def stored(document_type: str, keys: Sequence[bytes]) -> Sequence[dict[str, object] | None]:
        if document_type not in folder.flows.documents:
            return [None] * len(keys)
        found = read_documents(snapshot, folder.schemas, document_type, keys)
        return [None if one is None else dict(one.fields) for one in found]

    def name_of(table: str, key: bytes) -> str:
        return shown_address(table, key, sources)

    with Progress(console=render.console(), transient=True, disable=not render.console().is_terminal) as progress:
        task = progress.add_task("building twice", total=len(sample))
        comparison, stopped = compare(
            first, second, sample, stored, name_of, lambda done: progress.update(task, completed=done)
        )
    return summarize(comparison, second.facts, circumstances, _drift(folder, first.facts), stopped)


def _drift(folder: DataFolder, facts: CodeFacts) -> list[str]:
    """Whether the code that is called running is the one that the documents were built with."""
    admitted = load_generations(folder.repo)
    if admitted is None or facts.generation in (admitted.current, admitted.next):
        return []
    return [
        "the code that is called running here has other versions of functions than the one that built the index: it "
        "was changed since it was started; name the old one with --running"
    ]
