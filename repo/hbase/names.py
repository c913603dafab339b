"""Names of tables, families and columns in HBase, and the settings that they must have."""

import re
from typing import Final

from repo.hbase.cells import Family

DATA, NOTIFICATIONS = b"d", b"n"
ENTRY = b"d:_"
"""The column of an index table."""
DELETED = b"d:"
"""Omid's mark for a deleted family, with a shadow cell as any cell has: it hides what has a version up to its commit
timestamp. Only Omid's client writes it."""

ALL_VERSIONS: Final = 2_147_483_647
DATA_FAMILIES = {"d": Family(ALL_VERSIONS), "n": Family(3, scope=1)}
"""d: data and shadow cells, of which the engine itself collects the garbage. n: notifications, shipped by replication;
read from the write-ahead log, so that few need be kept."""

_ESCAPED = re.compile(r"[^A-Za-z0-9_.]")


class TableNames:
    """prefix: so that several Repos can share one HBase; b"" in production, for Omid knows the commit table by name."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.commit_table = f"{prefix}OMID_COMMIT_TABLE"
        self.catalog = f"{prefix}adsindex_catalog"
        self.gc = f"{prefix}adsindex_gc"
        self.oracle = f"{prefix}adsindex_oracle"

    def data(self, table: str) -> str:
        """Of a table of the Repo. Whatever HBase does not allow in a name becomes `-` and its code, in hexadecimal."""
        escaped = _ESCAPED.sub(lambda found: "".join(f"-{byte:02x}" for byte in found[0].encode()), table)
        return f"{self.prefix}adsindex.{escaped}"


def column_of(group: str) -> bytes:
    """A group's column; an index table's one group is "" (ENTRY)."""
    return b"%s:%s" % (DATA, group.encode()) if group else ENTRY
