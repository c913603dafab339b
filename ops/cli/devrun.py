"""`adsindex devrun`: sampled documents, built by the running and by new code, compared; nothing is written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.progress import Progress

from batch.devrun.explanation import Explanation
from batch.devrun.report import Report
from batch.devrun.thresholds import Limit, exceeded, parse_limits
from ops.addresses import document_address
from ops.cli import render
from ops.cli.devrun_screen import print_explanation, print_report
from ops.cli.exit_codes import NOT_FOUND, OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data
from ops.devrun.candidates import drawn, named
from ops.devrun.dry_run import dry_run, versions_of
from ops.devrun.page import page
from ops.document_filter import conditions_of
from ops.opened import DataFolder, opened
from proto.errors import SettingsError
from repo.api import Snapshot

_Texts = list[str] | None
_SEVERAL = "5%, 12, or FIELD=5% for one field; several times."


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """Which code is compared with which."""

    handlers: Annotated[
        _Texts,
        Parameter(help="New fields and handlers: a folder or file in place of the running one, or a module."),
    ] = None
    flows: Annotated[Path | None, Parameter(help="A new flows file. Without: the one that runs.")] = None
    running: Annotated[_Texts, Parameter(help="The code that runs, if it has changed where it was started from.")] = (
        None
    )
    timeout: Annotated[float, Parameter(help="Seconds that 50 documents may take.")] = 30.0


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Which documents are built."""

    sample: Annotated[int, Parameter(help="How many documents of each type.")] = 1000
    where: Annotated[str | None, Parameter(help="Only documents whose fields meet an SQL condition.")] = None
    type: Annotated[str | None, Parameter(name="--type", help="Only this document type.")] = None
    ids: Annotated[_Texts, Parameter(consume_multiple=True, help="These documents instead of a sample.")] = None
    seed: Annotated[int, Parameter(help="The same seed draws the same sample.")] = 1
    explain: Annotated[str | None, Parameter(help="One document: each field before, after, and what it got.")] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a release must keep."""

    max_changed: Annotated[_Texts, Parameter(help=f"Fail if more documents change: {_SEVERAL}")] = None
    max_errors: Annotated[_Texts, Parameter(help="Fail if more fail that work now: 0, 1%, FIELD=0.")] = None
    max_new_nulls: Annotated[_Texts, Parameter(help="Fail if more become NULL: 1%, FIELD=0.")] = None
    max_shift: Annotated[_Texts, Parameter(help="Fail if a distribution moves further: 0.1, FIELD=0.3.")] = None
    max_slower: Annotated[_Texts, Parameter(help="Fail if a function takes so many times as long: 2.")] = None

    def parsed(self) -> dict[str, dict[str, Limit]]:
        """By option, then by field. Raises SettingsError."""
        given = {
            "max-changed": self.max_changed,
            "max-errors": self.max_errors,
            "max-new-nulls": self.max_new_nulls,
            "max-shift": self.max_shift,
            "max-slower": self.max_slower,
        }
        return {option: parse_limits(option, texts or ()) for option, texts in given.items()}


def devrun(
    *,
    code: NewCode = NewCode(),
    documents: Documents = Documents(),
    limits: Limits = Limits(),
    html: Annotated[Path | None, Parameter(help="Write the report as one page, too.")] = None,
    json: Annotated[
        str | None,
        Parameter(allow_leading_hyphen=True, help="Write it as JSON, too: a file, or - for nothing else."),
    ] = None,
    data: Data = DEFAULT_DATA,
) -> int:
    """Build sampled documents with the running and with new code, at one snapshot, and show what differs.

    Writes nothing: the new code runs in a process of its own that knows no data folder. Exit code 1: a threshold is
    exceeded, or code crashed or hung again and again; 2: it can't be loaded; 3: there is no such document.

    For example:

        adsindex devrun --handlers ../new/shop --sample 2000 --html report.html
        adsindex devrun --handlers rating.py --where "servable and price > 100" --max-changed 5% --max-errors 0
        adsindex devrun --handlers rating.py --flows new.toml --explain product/7
    """
    thresholds = limits.parsed()
    with opened(data) as folder, folder.repo.snapshot() as snapshot:
        versions = versions_of(folder, code.handlers or (), code.flows, code.running or ())
        try:
            chosen, how = _chosen(folder, snapshot, documents)
        except LookupError as error:
            render.note(str(error))
            return NOT_FOUND
        with dry_run(folder, snapshot, versions, code.timeout) as run:
            if documents.explain is not None:
                address = document_address(folder.flows, folder.sources(), documents.explain)
                return _show(run.explain(address), html, json)
            with _progress(sum(map(len, chosen.values()))) as tell:
                report = run.compare(chosen, how, documents.seed, tell)
    report.failures = exceeded(report, thresholds)
    return _show(report, html, json)


def _chosen(folder: DataFolder, snapshot: Snapshot, wanted: Documents) -> tuple[Mapping[str, Sequence[bytes]], str]:
    """Type -> keys, and how they were chosen. Raises LookupError when there are none."""
    if wanted.sample < 1:
        raise SettingsError(f"--sample {wanted.sample}: at least one document is needed")
    ids = [wanted.explain] if wanted.explain else wanted.ids
    if ids:
        documents = named(folder, snapshot, ids)
        return documents, ", ".join(f"{len(keys):,} {name} documents by id" for name, keys in documents.items())
    conditions = conditions_of(folder, snapshot, wanted.type, wanted.where)
    documents, how = drawn(folder, snapshot, conditions, wanted.where is not None, wanted.sample, wanted.seed)
    if not any(documents.values()):
        why = "no document meets the condition" if wanted.where else "no document is stored yet"
        raise LookupError(f"{why}: there is nothing to compare")
    return documents, how


def _show(found: Report | Explanation, html: Path | None, json: str | None) -> int:
    text = msgspec.json.format(msgspec.json.encode(found)).decode() + "\n"
    if json == "-":
        render.print_text(text)
    elif json is not None:
        Path(json).write_text(text)
    if html is not None:
        html.write_text(page(found, render.shown))
    if json != "-":
        if isinstance(found, Report):
            print_report(found)
        else:
            print_explanation(found)
    return WRONG if isinstance(found, Report) and (found.failures or found.stopped) else OK


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal."""
    out = render.console()
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task("building twice", total=total)
        yield lambda done: progress.update(task, completed=done)
