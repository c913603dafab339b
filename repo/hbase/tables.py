"""Tables of HBase: made, looked at, and for tests flushed and dropped, by its master."""

from collections.abc import Callable, Mapping, Sequence

from proto.errors import SettingsError, UnavailableError
from proto.ports.clock import Clock
from proto.wire.hbase_rpc_pb2 import (
    BytesBytesPair,
    ColumnFamilySchema,
    CreateTableRequest,
    GetProcedureResultRequest,
    GetProcedureResultResponse,
    GetTableDescriptorsRequest,
    GetTableDescriptorsResponse,
    GetTableStateResponse,
    ProcedureResponse,
    TableName,
    TableRequest,
    TableSchema,
    TableState,
)
from repo.hbase.cells import Family
from repo.hbase.family_settings import check_settings, settings_of
from repo.hbase.master_rpc import MasterConnection
from repo.hbase.server_errors import server_error
from repo.hbase.zookeeper import find_master

WAIT_MS_MAX = 60_000
POLL_S = 0.02


class MasterTables:
    """repo.hbase.cells.Tables. zookeeper: its `host:port,host:port`; sleep: waits so many seconds."""

    def __init__(self, zookeeper: str, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._zookeeper = zookeeper
        self._clock = clock
        self._sleep = sleep

    def require(self, tables: Mapping[str, Mapping[str, Family]]) -> None:
        for name, wanted in tables.items():
            self.create(name, wanted)
        with self._connect() as master:
            for name, wanted in tables.items():
                stored = _stored(master, name) or {}
                for family, settings in wanted.items():
                    check_settings(name, family, stored.get(family), settings)
                self._await_enabled(master, name)

    def create(self, table: str, families: Mapping[str, Family], splits: Sequence[bytes] = ()) -> None:
        """Makes it, with a region beginning at each of `splits`, unless it is there."""
        schemas = [_family_schema(name, families[name]) for name in families]
        request = CreateTableRequest(
            table_schema=TableSchema(table_name=_table_name(table), column_families=schemas), split_keys=splits
        )
        with self._connect() as master:
            if _stored(master, table) is not None:
                return
            try:
                self._finish(master, "CreateTable", request, table)
            except (SettingsError, UnavailableError):
                if _stored(master, table) is None:
                    raise
                # another process was faster

    def drop(self, table: str) -> None:
        """Disables it and removes it with all its data."""
        with self._connect() as master:
            for method in ("DisableTable", "DeleteTable"):
                self._finish(master, method, TableRequest(table_name=_table_name(table)), table)

    def flush(self, table: str) -> None:
        """Writes what its region servers hold in memory to files."""
        with self._connect() as master:
            self._finish(master, "FlushTable", TableRequest(table_name=_table_name(table)), table)

    def _connect(self) -> MasterConnection:
        return MasterConnection(*find_master(self._zookeeper))

    def _finish(
        self, master: MasterConnection, method: str, request: CreateTableRequest | TableRequest, table: str
    ) -> None:
        """Has the master begin a procedure, and waits for its end."""
        where = f"table {table}"
        asked = GetProcedureResultRequest(proc_id=master.call(method, request, ProcedureResponse, where).proc_id)
        result = GetProcedureResultResponse()

        def is_over() -> bool:
            result.CopyFrom(master.call("getProcedureResult", asked, GetProcedureResultResponse, where))
            return result.state != GetProcedureResultResponse.RUNNING

        self._await(is_over, f"{where}: {method}")
        if result.HasField("exception"):
            exception = result.exception.generic_exception
            raise server_error(f"{exception.class_name}: {exception.message}", where)

    def _await_enabled(self, master: MasterConnection, table: str) -> None:
        """Another process may be making it: it is listed before its regions serve."""
        request = TableRequest(table_name=_table_name(table))

        def is_enabled() -> bool:
            state = master.call("GetTableState", request, GetTableStateResponse, f"table {table}").table_state.state
            if state in (TableState.DISABLED, TableState.DISABLING):
                raise SettingsError(f"table {table} is disabled; in the HBase shell: enable '{table}'")
            return state == TableState.ENABLED

        self._await(is_enabled, f"table {table} is not served yet")

    def _await(self, is_over: Callable[[], bool], what: str) -> None:
        began_ms = self._clock.monotonic_ms()
        while not is_over():
            if self._clock.monotonic_ms() - began_ms > WAIT_MS_MAX:
                raise UnavailableError(
                    f"{what}: not done in {WAIT_MS_MAX // 1000} s; look into the log of HBase's master"
                )
            self._sleep(POLL_S)


def _stored(master: MasterConnection, table: str) -> dict[str, dict[str, str]] | None:
    """Family -> attributes; None: there is no such table."""
    request = GetTableDescriptorsRequest(table_names=[_table_name(table)])
    answer = master.call("GetTableDescriptors", request, GetTableDescriptorsResponse, f"table {table}")
    if not answer.table_schema:
        return None
    return {
        family.name.decode(): {pair.first.decode(): pair.second.decode() for pair in family.attributes}
        for family in answer.table_schema[0].column_families
    }


def _family_schema(name: str, family: Family) -> ColumnFamilySchema:
    pairs = [BytesBytesPair(first=key.encode(), second=value.encode()) for key, value in settings_of(family).items()]
    return ColumnFamilySchema(name=name.encode(), attributes=pairs)


def _table_name(table: str) -> TableName:
    """`qualifier`, or `namespace:qualifier`."""
    namespace, _, qualifier = table.rpartition(":")
    return TableName(namespace=(namespace or "default").encode(), qualifier=qualifier.encode())
