"""Settings of a column family, as HBase spells them, against what we need."""

from collections.abc import Mapping

from proto.errors import SettingsError
from repo.hbase.cells import Family

FOREVER = "2147483647"


def settings_of(family: Family) -> dict[str, str]:
    """HBase's attributes; all others are HBase's defaults."""
    return {"VERSIONS": str(family.versions), "REPLICATION_SCOPE": str(family.scope), "TTL": FOREVER}


def check_settings(table: str, family: str, stored: Mapping[str, str] | None, wanted: Family) -> None:
    """Raises SettingsError, naming what differs and how to mend it. stored: attributes; None: there is no such
    family."""
    attributes = {
        **settings_of(wanted),
        "MIN_VERSIONS": "0",
        "KEEP_DELETED_CELLS": "FALSE",
        "NEW_VERSION_BEHAVIOR": "FALSE",
    }
    if stored is None:
        spelled = ", ".join(f"{name} => '{value}'" for name, value in settings_of(wanted).items())
        mend = f"in the HBase shell: alter '{table}', {{NAME => '{family}', {spelled}}}"
        raise SettingsError(f"table {table} has no family {family}. Add it {mend}")
    for name, value in attributes.items():
        found = stored.get(name, value).upper()
        if found not in (value, {FOREVER: "FOREVER"}.get(value)):
            mend = f"in the HBase shell: alter '{table}', {{NAME => '{family}', {name} => '{value}'}}"
            raise SettingsError(
                f"table {table}, family {family}: {name} is {found}, and must be {value}. Change it {mend}"
            )
