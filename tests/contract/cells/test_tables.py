"""Tables are made once, and looked at by everybody who needs them."""

import pytest

from proto.errors import SettingsError
from repo.hbase.cells import Family
from tests.contract.cells.conftest import FAMILIES, Served


def test_what_is_there_as_wanted_is_left_alone(served: Served) -> None:
    served.cells.put(served.table, 5, {b"r": {b"d:a": b"1"}})
    served.tables.require({served.table: FAMILIES})
    served.tables.require({served.table: {"n": FAMILIES["n"]}})
    assert b"r" in served.cells.get(served.table, [b"r"], [b"d:a"])


@pytest.mark.parametrize(
    ("family", "wanted", "setting"),
    [
        ("d", Family(versions=7), "VERSIONS"),
        ("n", Family(versions=3, scope=0), "REPLICATION_SCOPE"),
        ("x", Family(versions=7), "x"),
    ],
)
def test_other_settings_are_refused_by_name(served: Served, family: str, wanted: Family, setting: str) -> None:
    with pytest.raises(SettingsError, match=rf"{served.table}.*{family}.*{setting}"):
        served.tables.require({served.table: {family: wanted}})


def test_versions_above_what_a_family_keeps_are_not_told(served: Served) -> None:
    for timestamp in (10, 20, 30, 40, 50):
        served.cells.put(served.table, timestamp, {b"r": {b"n:q": b"v"}})
    assert [stored.timestamp for stored in served.cells.versions(served.table, b"r", b"n:q", None, 9)] == [50, 40, 30]
