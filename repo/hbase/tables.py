"""Tables of HBase: made, looked at, and for tests flushed and dropped, by its master."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from proto.errors import AdsIndexError, SettingsError, UnavailableError
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
        self.create(tables)
        with self._connect() as master:
            stored = _stored(master, tables)
            for name, wanted in tables.items():
                for family, settings in wanted.items():
                    check_settings(name, family, stored.get(name, {}).get(family), settings)
                self._await_enabled(master, name)

    def create(self, tables: Mapping[str, Mapping[str, Family]], splits: Sequence[bytes] = ()) -> None:
        """Makes those that are absent, all at once, each with a region beginning at each of `splits`. Another process
        may be doing the same, or be faster."""
        with self._connect() as master:
            there = _stored(master, tables)
            begun: dict[str, int] = {}
            failed: dict[str, AdsIndexError] = {}
            for name in [name for name in tables if name not in there]:
                request = CreateTableRequest(table_schema=_schema(name, tables[name]), split_keys=splits)
                with _kept(failed, name):
                    begun[name] = self._begin(master, "CreateTable", request, name)
            for name, procedure in begun.items():
                with _kept(failed, name):
                    self._finish(master, procedure, name)
            there = _stored(master, failed)
            for name, error in failed.items():
                if name not in there:
                    raise error

    def drop(self, table: str) -> None:
        """Disables it and removes it with all its data."""
        with self._connect() as master:
            for method in ("DisableTable", "DeleteTable"):
                self._finish(master, self._begin(master, method, _request(table), table), table)

    def flush(self, table: str) -> None:
        """Writes what its region servers hold in memory to files."""
        with self._connect() as master:
            self._finish(master, self._begin(master, "FlushTable", _request(table), table), table)

    def _connect(self) -> MasterConnection:
        return MasterConnection(*find_master(self._zookeeper))

    def _begin(
        self, master: MasterConnection, method: str, request: CreateTableRequest | TableRequest, table: str
    ) -> int:
        """The id of the procedure that the master goes on with."""
        return master.call(method, request, ProcedureResponse, f"table {table}").proc_id

    def _finish(self, master: MasterConnection, procedure: int, table: str) -> None:
        """Waits for its end, and raises what went wrong in it."""
        where = f"table {table}"
        result = GetProcedureResultResponse()

        def is_over() -> bool:
            request = GetProcedureResultRequest(proc_id=procedure)
            result.CopyFrom(master.call("getProcedureResult", request, GetProcedureResultResponse, where))
            return result.state != GetProcedureResultResponse.RUNNING

        self._await(is_over, f"{where}: what HBase's master was asked for")
        if result.HasField("exception"):
            exception = result.exception.generic_exception
            raise server_error(f"{exception.class_name}: {exception.message}", where)

    def _await_enabled(self, master: MasterConnection, table: str) -> None:
        """Another process may be making it: it is listed before its regions serve."""

        def is_enabled() -> bool:
            state = master.call(
                "GetTableState", _request(table), GetTableStateResponse, f"table {table}"
            ).table_state.state
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


@contextmanager
def _kept(failed: dict[str, AdsIndexError], table: str) -> Iterator[None]:
    try:
        yield
    except (SettingsError, UnavailableError) as error:
        failed[table] = error


def _stored(master: MasterConnection, tables: Collection[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Of those that are there: table -> family -> attributes."""
    if not tables:
        return {}  # to HBase, no name means all tables
    request = GetTableDescriptorsRequest(table_names=map(_table_name, tables))
    where = f"tables {', '.join(tables)}"
    answer = master.call("GetTableDescriptors", request, GetTableDescriptorsResponse, where)
    families = {
        (schema.table_name.namespace, schema.table_name.qualifier): {
            family.name.decode(): {pair.first.decode(): pair.second.decode() for pair in family.attributes}
            for family in schema.column_families
        }
        for schema in answer.table_schema
    }
    names = {table: (_table_name(table).namespace, _table_name(table).qualifier) for table in tables}
    return {table: families[name] for table, name in names.items() if name in families}


def _schema(table: str, families: Mapping[str, Family]) -> TableSchema:
    def schema(name: str) -> ColumnFamilySchema:
        attributes = settings_of(families[name]).items()
        pairs = [BytesBytesPair(first=key.encode(), second=value.encode()) for key, value in attributes]
        return ColumnFamilySchema(name=name.encode(), attributes=pairs)

    return TableSchema(table_name=_table_name(table), column_families=map(schema, families))


def _request(table: str) -> TableRequest:
    return TableRequest(table_name=_table_name(table))


def _table_name(table: str) -> TableName:
    """`qualifier`, or `namespace:qualifier`."""
    namespace, _, qualifier = table.rpartition(":")
    return TableName(namespace=(namespace or "default").encode(), qualifier=qualifier.encode())
