"""A flows file with its handlers, as a command is given it or a data folder remembers it: loaded, checked, compared
with real databases."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from argus.compile import compile_document
from argus.registry import Application, register
from gateway.capture.sqlite.doctor import Finding
from gateway.capture.sqlite.fit import misfits
from gateway.route import captured_table, fed_tables
from ops.installation import Installation
from ops.wiring.handlers import load_handlers
from proto.errors import FlowsError
from proto.flows.loader import load
from proto.flows.model import Flows
from proto.flows.problems import raise_together

DEFAULT_FILE = "flows.toml"


class SourceFinding(NamedTuple):
    """What of a table or column does not fit a source; where: `flows.toml:12`."""

    source: str
    where: str
    finding: Finding

    def sentence(self) -> str:
        """For people."""
        found = self.finding
        text = found.text if found.text.endswith("?") else f"{found.text}."
        return f"{self.where}: {found.subject}, source {self.source}: {text} Hint: {found.mend}"


def chosen(file: Path | None, handlers: Sequence[str] | None, known: Installation) -> Installation:
    """What was given now, over what is remembered; paths become absolute."""
    path = str(file.resolve()) if file else known.flows or str(Path(DEFAULT_FILE).resolve())
    named = [str(Path(name).resolve()) if Path(name).exists() else name for name in handlers or ()]
    return Installation(known.sources, path, named if handlers else known.handlers)


def load_application(installation: Installation) -> Application:
    """The flows file with its handlers. Raises FlowsError, SettingsError."""
    path = Path(installation.flows)
    return register(load(path), load_handlers(installation.handlers, path))


def load_checked(installation: Installation) -> Application:
    """The same, with everything checked that can be without data. Raises FlowsError, all mistakes together."""
    application = load_application(installation)
    problems: list[FlowsError] = []
    for document in application.flows.documents.values():
        try:
            compile_document(application, document)
        except FlowsError as error:
            at = document.at
            problems.append(
                error if error.file else FlowsError(error.message, file=at.file, line=at.line, hint=error.hint)
            )
    raise_together(problems)
    return application


def against_sources(flows: Flows, sources: Mapping[str, str]) -> list[SourceFinding]:
    """What of the file does not fit the databases (name -> URL). Raises SettingsError, UnavailableError."""
    found = []
    for name, url in sources.items():
        tables = fed_tables(flows, name)
        lines = {table.name: f"{table.at.file}:{table.at.line}" for table in tables}
        for one in misfits(url, [captured_table(table) for table in tables]):
            found.append(SourceFinding(name, lines[one.subject.partition(".")[0]], one))
    return found
