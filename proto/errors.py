"""Every error that this product raises on purpose. The type tells the caller what to do.

AdsIndexError
|-- ConflictError          retry with a new snapshot
|-- UnavailableError       retry later; nothing is wrong with the request
|-- OutcomeUnknownError    settle it; never run it again blindly
|-- InvalidMessageError    dead letter: it will never work as it stands
|   `-- ValueTypeError     one value does not fit its column's type
|-- FencedError            this process must stop
|-- TooOldError            the snapshot is below the gc watermark: take a new one
|-- TooStaleError          a reader waited for a version and it did not come in time
|-- CorruptionError        stop and page somebody
`-- SettingsError          a person must change a setting or a file
    `-- FlowsError         the flows file is wrong; says file, line, hint

OverrunError stands apart: it must get through what catches every Exception.
"""

DESCRIBED_MAX = 4_000


class AdsIndexError(Exception):
    """Root of the tree."""


def described(error: BaseException) -> str:
    """As `named`; but ours, which are written for people, without their class."""
    return _bounded(_text_of(error)) if isinstance(error, AdsIndexError) else named(error)


def named(error: BaseException) -> str:
    """Its class and what went wrong, in at most DESCRIBED_MAX characters that can be stored, whatever `error` makes of
    itself."""
    return _bounded(f"{type(error).__name__}: {_text_of(error)}")


def _text_of(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as another:
        text = f"its text can't be had: it raises {type(another).__name__}"
    return text.encode("utf-8", "backslashreplace").decode()


def _bounded(text: str) -> str:
    return text if len(text) <= DESCRIBED_MAX else f"{text[:DESCRIBED_MAX]}..."


class ConflictError(AdsIndexError):
    """Somebody else committed a cell that this transaction wrote or checked. Retry."""


class UnavailableError(AdsIndexError):
    """A store or a server does not answer now. Retry later."""


class OutcomeUnknownError(AdsIndexError):
    """A commit may or may not have happened. Settle it before anything else."""


class InvalidMessageError(AdsIndexError):
    """A message that can never be processed as it stands."""


class ValueTypeError(InvalidMessageError):
    """A value that does not fit the type of its column."""


class FencedError(AdsIndexError):
    """Another process has taken over. Stop."""


class TooOldError(AdsIndexError):
    """The snapshot is older than what is kept. Take a new one."""


class TooStaleError(AdsIndexError):
    """A read demanded a version that did not become servable in time."""


class CorruptionError(AdsIndexError):
    """Stored bytes make no sense. Stop; `adsindex rebuild` makes the data again from its sources."""


class SettingsError(AdsIndexError):
    """A setting, a file or a command-line argument is wrong; the text says which and what to do."""


class FlowsError(SettingsError):
    """The flows file is wrong: `FILE:LINE: what. Hint: what to do`, and a line for each of `others`, found with it."""

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, hint: str = "", others: "tuple[FlowsError, ...]" = ()
    ) -> None:
        where = f"{file}:{line}: " if line else (f"{file}: " if file else "")
        text = f"{where}{message}" + (f". Hint: {hint}" if hint else "")
        super().__init__("\n".join([text, *map(str, others)]))
        self.message, self.file, self.line, self.hint, self.others = message, file, line, hint, others


class OverrunError(BaseException):
    """A function of the application ran for longer than it may, and was interrupted."""
