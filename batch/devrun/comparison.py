"""Brings together what the two versions made of the same documents."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import xxhash

from batch.devrun.errors import Errors
from batch.devrun.findings import findings_of
from batch.devrun.messages import Batch, Built, Called, CodeFacts, FieldFacts, Trouble, TypeFacts, Written
from batch.devrun.report import FieldReport, TypeReport
from batch.devrun.tally import FieldTally
from batch.devrun.values import same

SERVABLE, MISSING = "[servable]", "[missing]"
"""What a document says about itself, listed beside its fields."""

NameOf = Callable[[str, bytes], str]
"""(document type or table, key) -> an address that people can type."""


class Comparison:
    """Documents and handlers' rows of one sample. name_of: for examples and errors."""

    def __init__(self, before: CodeFacts, after: CodeFacts, name_of: NameOf) -> None:
        self._name_of = name_of
        self.errors = Errors()
        self.types = {
            name: TypeReport(name) for name in dict.fromkeys(one.name for one in (*before.types, *after.types))
        }
        self._sides = (_Side(before), _Side(after))
        self._tallies: dict[tuple[str, str], FieldTally] = {}
        for subject, name in dict.fromkeys([*self._sides[1].fields, *self._sides[0].fields]):
            old, new = (side.fields.get((subject, name)) for side in self._sides)
            self._tallies[subject, name] = FieldTally(subject, old, new)
        self._numbers = {
            name: [(at, self._tallies[name, field.name]) for at, field in enumerate(side.documents[name])]
            for side in self._sides
            for name in side.documents
        }
        self._called: tuple[dict[tuple[str, str, bytes], Called], ...] = ({}, {})

    def add(self, before: Batch, after: Batch) -> None:
        """The same keys of one type, built by both; a version that does not have the type gave no documents."""
        for old, new in zip(before.documents, after.documents, strict=True):
            self._document(old, new)
        self.add_calls(before.calls, after.calls)

    def add_calls(self, before: Iterable[Called], after: Iterable[Called]) -> None:
        """Handlers that ran; those that only one version has called wait for the other's."""
        for called, side in ((before, 0), (after, 1)):
            self._called[side].update({(one.handler, one.table, one.key): one for one in called})
        for at in list(self._called[0]):
            if at in self._called[1]:
                self._call(self._called[0].pop(at), self._called[1].pop(at))

    def again(self, first: Sequence[Built], second: Sequence[Built]) -> None:
        """The same documents, built twice by the new code."""
        for one, other in zip(first, second, strict=True):
            if one.exists and one.lost is None and other.lost is None and other.exists:
                names = self._sides[1].documents[one.type]
                for at, field in enumerate(names):
                    if at not in one.troubles and not same(one.values[at], other.values[at]):
                        self._tallies[one.type, field.name].wandering += 1

    def stored(self, built: Built, stored: Mapping[str, Any]) -> None:
        """A document as the running code builds it, beside what is stored."""
        names = [field.name for field in self._sides[0].documents[built.type]]
        fine = built.exists and built.lost is None and not built.troubles
        if fine and (stored.keys() != set(names) or not same(built.values, [stored[name] for name in names])):
            self.types[built.type].stored_differs += 1

    def reports(self) -> list[FieldReport]:
        """All fields, the most suspicious first."""
        reports = []
        for tally in self._tallies.values():
            report = tally.finished()
            report.findings = findings_of(tally)
            reports.append(report)
        return sorted(reports, key=lambda report: -report.score)

    def edited(self) -> Iterator[FieldReport]:
        """Fields whose own code is another one, or that only one version has."""
        return (tally.report for tally in self._tallies.values() if tally.report.edited)

    def unraised(self) -> Iterator[FieldReport]:
        """Fields whose code is another one while the version that it is known by is the same."""
        for tally in self._tallies.values():
            old, new = tally.before, tally.after
            if old is not None and new is not None and old.code != new.code and old.version == new.version > 0:
                yield tally.report

    def _document(self, old: Built, new: Built) -> None:
        report = self.types[new.type]
        if not old.exists or not new.exists:
            report.added += new.exists and not old.exists
            report.removed += old.exists and not new.exists
        report.failed_before += bool(old.troubles) or old.lost is not None
        report.failed_after += bool(new.troubles) or new.lost is not None
        report.lost_after += new.lost is not None
        identity = self._name_of(new.type, new.key)
        self._troubles("running", 0, old, identity)
        self._troubles("new", 1, new, identity)
        if not new.exists and not old.exists:
            return
        report.compared += 1
        report.us_before += sum(old.times_ns) / 1000
        report.us_after += sum(new.times_ns) / 1000
        values = [self._values(side, built) for side, built in enumerate((old, new))]
        if old.lost is None and new.lost is None and old.exists and new.exists:
            report.became_servable += bool(new.servable and not old.servable)
            report.became_unservable += bool(old.servable and not new.servable)
            before = [value for value, _, _ in values[0].values()]
            report.changed += not same(before, [value for value, _, _ in values[1].values()])
        for name in {**values[1], **values[0]}:
            self._field(self._tallies[new.type, name], identity, values[0].get(name), values[1].get(name))

    def _values(self, side: int, built: Built) -> "dict[str, _Cell]":
        """Field -> (value, why not, how long); nothing of a document that is not there or was lost."""
        if not built.exists:
            return {}
        fields = self._sides[side].documents.get(built.type, [])
        if built.lost is not None:
            return {fields[at].name: (None, trouble, 0) for at, trouble in built.troubles.items()}
        cells: dict[str, _Cell] = {
            field.name: (value, built.troubles.get(at), took)
            for at, (field, value, took) in enumerate(zip(fields, built.values, built.times_ns, strict=False))
        }
        return {**cells, SERVABLE: (built.servable, None, 0), MISSING: (sorted(built.missing), None, 0)}

    def _field(self, tally: FieldTally, identity: str, old: "_Cell | None", new: "_Cell | None") -> None:
        before, after = (cell[1] if cell else None for cell in (old, new))
        if before is not None or after is not None:
            tally.failed(before, after)
            return
        if (old is None and tally.before is not None) or (new is None and tally.after is not None):
            return  # one version does not have this document, or lost it
        tally.add(identity, old[0] if old else None, new[0] if new else None)
        if old and new and (old[2] or new[2]):
            tally.took(old[2], new[2])

    def _troubles(self, version: str, side: int, built: Built, identity: str) -> None:
        fields = self._sides[side].documents.get(built.type, [])
        for at, trouble in built.troubles.items():
            self.errors.add(version, built.type, fields[at].name, trouble, identity)
        if built.lost is not None and not built.troubles:
            self.errors.add(version, built.type, "(document)", built.lost, identity)

    def _call(self, old: Called, new: Called) -> None:
        identity = self._name_of(new.table, new.key)
        columns = self._sides[1].columns.get(new.handler) or self._sides[0].columns.get(new.handler, [])
        for version, called in (("running", old), ("new", new)):
            if called.trouble is not None:
                self.errors.add(version, new.handler.rpartition(":")[2], "(handler)", called.trouble, identity)
        tallies = [self._tallies[facts.name.partition(".")[0], facts.name] for facts in columns]
        if old.trouble is not None or new.trouble is not None:
            for tally in tallies:
                tally.failed(old.trouble, new.trouble)
            return
        for tally in tallies:
            tally.took(old.time_ns, new.time_ns)
            table, _, column = tally.report.name.partition(".")
            before, after = _of(old.writes, table, column), _of(new.writes, table, column)
            for key in {**before, **after}:
                tally.add(self._name_of(table, key), before.get(key), after.get(key))


_Cell = tuple[Any, Trouble | None, int]


class _Side:
    """What one version has. fields: (subject, name) -> facts; documents: type -> its fields; columns: of handlers."""

    def __init__(self, facts: CodeFacts) -> None:
        self.documents = {one.name: one.fields for one in facts.types}
        self.columns = {one.name: one.columns for one in facts.handlers}
        self.fields: dict[tuple[str, str], FieldFacts] = {}
        for kind in facts.types:
            self.fields.update({(kind.name, field.name): field for field in (*_own(kind), *kind.fields)})
        for columns in self.columns.values():
            self.fields.update({(column.name.partition(".")[0], column.name): column for column in columns})


def _own(kind: TypeFacts) -> list[FieldFacts]:
    code = xxhash.xxh3_64_intdigest(kind.servable.encode())
    return [
        FieldFacts(SERVABLE, "bool", kind.servable or "always", code, critical=True),
        FieldFacts(MISSING, "list", "rows that should be there", 0),
    ]


def _of(writes: Sequence[Written], table: str, column: str) -> dict[bytes, Any]:
    """Key -> what was written into one column."""
    return {
        one.key: None if one.values is None else one.values[column]
        for one in writes
        if one.table == table and (one.values is None or column in one.values)
    }
