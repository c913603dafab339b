"""A family with other settings is refused with what differs, and the command that mends it."""

import pytest

from proto.errors import SettingsError
from repo.hbase.cells import Family
from repo.hbase.family_settings import check_settings, settings_of

WANTED = Family(versions=100, scope=1)


@pytest.mark.parametrize("spelled", ["2147483647", "FOREVER", "forever"])
def test_what_was_made_by_us_or_by_the_shell_passes(spelled: str) -> None:
    check_settings("t", "d", {**settings_of(WANTED), "TTL": spelled, "BLOOMFILTER": "ROW"}, WANTED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VERSIONS", "3"),
        ("REPLICATION_SCOPE", "0"),
        ("TTL", "86400"),
        ("MIN_VERSIONS", "1"),
        ("KEEP_DELETED_CELLS", "TTL"),
        ("NEW_VERSION_BEHAVIOR", "true"),
    ],
)
def test_any_other_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"table t, family d: {name} is {value.upper()}") as refused:
        check_settings("t", "d", {**settings_of(WANTED), name: value}, WANTED)
    wanted = settings_of(WANTED).get(name, "")
    assert f"alter 't', {{NAME => 'd', {name} => '{wanted}" in str(refused.value)


def test_a_family_that_is_absent() -> None:
    with pytest.raises(SettingsError, match=r"no family d.*VERSIONS => '100', REPLICATION_SCOPE => '1'"):
        check_settings("t", "d", None, WANTED)
