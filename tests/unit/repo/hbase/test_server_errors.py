"""HBase's exceptions, as the gateway and the master spell them, become errors that say what to do."""

import pytest

from proto.errors import AdsIndexError, InvalidMessageError, SettingsError, UnavailableError
from repo.hbase.server_errors import server_error

HADOOP = "org.apache.hadoop.hbase"
BATCH = f"{HADOOP}.client.RetriesExhaustedWithDetailsException: Failed 1 action: "


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        (f"{HADOOP}.TableNotFoundException: t\n\tat x.y(Z.java:1)", SettingsError, "makes it"),
        (f"{BATCH}adsindex.items: 1 time, servers with issues: null", SettingsError, "makes it"),
        (f"{HADOOP}.TableNotEnabledException: t is disabled.", SettingsError, "enable"),
        (f"{BATCH}{HADOOP}.regionserver.NoSuchColumnFamilyException: Column family zz", SettingsError, "family"),
        ("java.lang.IllegalArgumentException: KeyValue size too large", InvalidMessageError, "keyvalue.maxsize"),
        ("IllegalArgument: row is null", InvalidMessageError, "never"),
        (f"{BATCH}{HADOOP}.NotServingRegionException: 1 time, servers with issues: null", UnavailableError, "later"),
        (f"{BATCH}Operation rpcTimeout: 5 times, servers with issues: a,1,2", UnavailableError, "later"),
        (f"{HADOOP}.PleaseHoldException: Master is initializing", UnavailableError, "later"),
        (
            f"{HADOOP}.NamespaceNotFoundException: {HADOOP}.NamespaceNotFoundException: x",
            SettingsError,
            "create_namesp",
        ),
        ("IllegalArgument: scanner ID is invalid", UnavailableError, "later"),
        ("", UnavailableError, "later"),
    ],
)
def test_meanings(text: str, kind: type[AdsIndexError], hint: str) -> None:
    error = server_error(text, "table t, row b'r'")
    assert type(error) is kind
    assert str(error).startswith("table t, row b'r': ")
    assert hint in str(error)


def test_of_a_stack_trace_the_line_that_matters_is_told_and_no_more() -> None:
    text = f"x.Outer: it failed\n\tat a.b(C.java:1)\nCaused by: {HADOOP}.TableNotFoundException: t{'t' * 1000}\n\tat d"
    told = str(server_error(text, "table t"))
    assert "TableNotFoundException" in told
    assert "Outer" not in told and "\n" not in told
    assert len(told) < 400
