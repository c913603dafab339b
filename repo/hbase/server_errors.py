"""What HBase's exceptions mean to a caller."""

import re

from proto.errors import AdsIndexError, InvalidMessageError, SettingsError, UnavailableError

_MEANINGS: tuple[tuple[str, type[AdsIndexError], str], ...] = (
    (r"TableNotFoundException", SettingsError, "no such table; require() makes it"),
    # of what a batch met, only the text is told, and that of TableNotFoundException is the table's name
    (
        r"Failed \d+ actions?: (?!\S+Exception: )[\w.:-]+: \d+ times?, servers with issues: null",
        SettingsError,
        "no such table; require() makes it",
    ),
    (r"NamespaceNotFoundException", SettingsError, "no such namespace; in the HBase shell: create_namespace"),
    (r"TableNotEnabledException", SettingsError, "the table is disabled; in the HBase shell: enable 'TABLE'"),
    (r"NoSuchColumnFamilyException", SettingsError, "no such family; require() tells what is needed"),
    (r"AccessDeniedException", SettingsError, "HBase does not allow it; grant this process's user RWXCA on the table"),
    (r"scanner ID is invalid", UnavailableError, "the gateway has given up a scan that took too long; retry later"),
    (r"size too large", InvalidMessageError, "a cell is larger than hbase.server.keyvalue.maxsize"),
    (
        r"IllegalArgument|DoNotRetryIOException.*hbase.table.sanity.checks",
        InvalidMessageError,
        "HBase never takes this",
    ),
)
_TOLD_MAX = 200


def server_error(text: str, where: str) -> AdsIndexError:
    """The error to raise. text: class name and message, or a whole Java stack trace; where: table and row, for people.

    What is not known here is taken for a passing trouble: HBase's own client has tried for a minute, and gave up.
    """
    for pattern, kind, meaning in _MEANINGS:
        if found := re.search(pattern, text):
            return kind(f"{where}: {meaning} ({_told(text, found.start())})")
    return UnavailableError(f"{where}: HBase can't do it now; retry later ({_told(text, 0)})")


def _told(text: str, at: int) -> str:
    """The line of a stack trace that holds position `at`."""
    line = text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0].strip()
    return line if len(line) <= _TOLD_MAX else f"{line[:_TOLD_MAX]}..."
