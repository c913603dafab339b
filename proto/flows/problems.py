"""What is wrong with a flows file: collected while it is read, reported together, in the order of its lines."""

from collections.abc import Mapping, Sequence

from proto.errors import FlowsError
from proto.flows.locator import KeyPath
from proto.flows.model import Location


class Problems:
    """Errors found so far. lines: path -> line, as proto.flows.locator gives them."""

    def __init__(self, file: str, lines: Mapping[KeyPath, int]) -> None:
        self._file = file
        self._lines = lines
        self._found: dict[tuple[int, str], str] = {}

    def at(self, path: KeyPath) -> Location:
        """Where `path` stands; of what is not in the file, where the nearest thing around it stands."""
        while path and path not in self._lines:
            path = path[:-1]
        return Location(self._file, self._lines.get(path, 0))

    def add(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Notes an error at `path`. The same text at the same line is noted once."""
        self._found.setdefault((self.at(path).line, message), hint)

    def raise_if_any(self) -> None:
        """Raises the first error by line, with the others in `others`."""
        raise_together(
            [
                FlowsError(message, file=self._file, line=line, hint=hint)
                for (line, message), hint in sorted(self._found.items(), key=lambda found: found[0][0])
            ]
        )


def raise_together(errors: Sequence[FlowsError]) -> None:
    """Raises the first, if there is one, with the others in `others`; each text once."""
    flat = {str(one): one for error in errors for one in (_alone(error), *error.others)}
    if flat:
        first, *others = flat.values()
        raise FlowsError(first.message, file=first.file, line=first.line, hint=first.hint, others=tuple(others))


def _alone(error: FlowsError) -> FlowsError:
    return FlowsError(error.message, file=error.file, line=error.line, hint=error.hint)
