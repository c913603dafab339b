"""The documents of a flows file: from their spelling to the model, every path resolved once to see that it leads
somewhere."""

from collections.abc import Iterable, Iterator, Mapping

from proto.errors import FlowsError
from proto.flows.conditions import parse
from proto.flows.locator import KeyPath
from proto.flows.model import Document, Field, Flows, Table
from proto.flows.paths import Path, nearest, resolve
from proto.flows.problems import Problems
from proto.flows.spelling import DocumentSpelling, FieldSpelling
from proto.flows.tables import check_handler, check_name


def build_documents(spelled: Mapping[str, DocumentSpelling], flows: Flows, problems: Problems) -> dict[str, Document]:
    """flows: with its tables, still without documents. What is wrong is noted."""
    return {
        name: document
        for name, one in spelled.items()
        if (document := _Builder(name, one, flows, problems).build()) is not None
    }


class _Builder:
    """Builds one document type."""

    def __init__(self, name: str, spelled: DocumentSpelling, flows: Flows, problems: Problems) -> None:
        self._name = name
        self._spelled = spelled
        self._flows = flows
        self._problems = problems

    def build(self) -> Document | None:
        root, path = self._spelled.root, ("documents", self._name)
        check_name(self._name, path, "document", self._problems)
        if root not in self._flows.tables:
            hint = nearest(root, list(self._flows.tables))
            self._problems.add((*path, "root"), f"document {self._name!r}: there is no table {root!r}", hint)
            return None
        self._check_servable()
        fields: dict[str, Field] = {}
        for entry in self._spelled.copy_:
            for field in self._copied(entry):
                if entry.endswith("*"):  # brand_id of `*` and of `brand.*` is the same value: the first stays
                    fields.setdefault(field.name, field)
                    continue
                if field.name in fields or field.name in self._spelled.fields:
                    self._note(("copy",), f"field {field.name!r} is there twice", "remove one of them")
                fields[field.name] = field
        for name, one in self._spelled.fields.items():
            fields[name] = self._field(name, one)
        return Document(self._name, root, fields, self._spelled.servable, self._problems.at(path))

    def _note(self, path: KeyPath, message: str, hint: str) -> None:
        self._problems.add(("documents", self._name, *path), f"document {self._name!r}: {message}", hint)

    def _copied(self, entry: str) -> Iterator[Field]:
        """`title` -> field title; `ad_group.name` -> field ad_group_name; `*`, `ad_group.*`: every column but the
        sensitive ones (those must be named)."""
        at = self._problems.at(("documents", self._name, "copy"))
        paths = [entry]
        if entry == "*" or entry.endswith(".*"):
            columns: Iterable[str] = _named_by_star(self._flows.tables[self._spelled.root])
            prefix = entry[:-1]
            if prefix:
                found = self._resolved(prefix[:-1], ("copy",), f"copy of {entry!r}")
                if found is None:
                    return
                if found.column is not None:
                    self._note(("copy",), f"copy of {entry!r}: {prefix[:-1]!r} is a column", "only a row has columns")
                    return
                columns = _named_by_star(found.table) if found.signal is None else found.signal.fields
            paths = [prefix + column for column in columns]
        for path in paths:
            self._check_path(path, ("copy",), f"copy of {path!r}")
            yield Field(path.replace(".", "_"), path, at=at)

    def _field(self, name: str, spelled: FieldSpelling) -> Field:
        path = ("fields", name)
        if not name or "." in name or not name.isprintable():
            self._note(path, f"a field can't be named {name!r}", "use letters, digits and underscores")
        if bool(spelled.from_) == bool(spelled.handler):
            both = "both `from` and `handler`" if spelled.from_ else "neither `from` nor `handler`"
            hint = 'a copy has from = "path", a computed field handler = "module:function"'
            self._note(path, f"field {name!r} has {both}", hint)
        elif spelled.handler:
            check_handler(spelled.handler, ("documents", self._name, *path, "handler"), self._problems)
        else:
            self._check_path(spelled.from_, (*path, "from"), f"field {name!r}")
        return Field(
            name=name,
            path=spelled.from_,
            handler=spelled.handler,
            kind=spelled.kind,
            owner=spelled.owner,
            critical=spelled.critical,
            fresh_within_s=spelled.fresh_within_s,
            at=self._problems.at(("documents", self._name, *path)),
        )

    def _resolved(self, text: str, where: KeyPath, what: str) -> Path | None:
        try:
            return resolve(self._flows, self._spelled.root, text)
        except FlowsError as error:
            self._note(where, f"{what}: {error.message}", error.hint)
            return None

    def _check_path(self, text: str, where: KeyPath, what: str) -> Path | None:
        """Notes a path that does not end at a column."""
        path = self._resolved(text, where, what)
        if path is not None and path.column is None:
            known = path.table.columns if path.signal is None else path.signal.fields
            hint = f"go on to a column, as in {f'{text}.{next(iter(known))}'!r}"
            end = f"a row of {path.table.name!r}" if path.signal is None else "a signal"
            self._note(where, f"{what}: {text!r} ends at {end}", hint)
            return None
        return path

    def _check_servable(self) -> None:
        """The condition parses; its paths end at columns of single rows; its types compare."""
        if not self._spelled.servable:
            return
        try:
            condition = parse(self._spelled.servable)
            types: dict[str, str] = {}
            for text in condition.paths:
                if condition.is_quoted(text) and text not in self._flows.tables[self._spelled.root].columns:
                    continue  # compiling tells about the quotes
                path = self._check_path(text, ("servable",), "servable")
                if path is None or path.column is None:
                    return
                if path.many:
                    hint = "compute a field of the collection in a handler's table, and test that"
                    self._note(("servable",), f"servable: {text!r} goes through a collection", hint)
                    return
                types[text] = path.column.type
            condition.python(dict.fromkeys(condition.paths, "x"), types)
        except FlowsError as error:
            self._note(("servable",), f"servable: {error.message}", error.hint)


def _named_by_star(table: Table) -> list[str]:
    """Every column but the sensitive ones."""
    return [column.name for column in table.columns.values() if not column.sensitive]
