"""The role `oracle`: one leads, the others stand by with everything open but the state cell."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops.engine.clock import SystemClock
from ops.settings import Settings
from ops.wiring.hbase import hbase_addresses
from proto.errors import UnavailableError
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.state_cell import NONCE_BYTES
from repo.hbase.tables import MasterTables
from repo.hbase.thrift import ThriftCells
from repo.oracle.grpc_service import OracleService
from repo.oracle.leader import Leader
from repo.oracle.oracle import Oracle
from repo.oracle.settings import OracleSettings
from repo.oracle.state_machine import OracleLimits
from repo.oracle.zookeeper import LeaderElection

_LOOK_S = 0.25
_PAUSE_S_MAX = 0.5
_ATTEMPTS_UNTOLD = 6
"""At the store: a second and more."""
_ANSWER_MS_MAX = 20_000
"""Of the Thrift gateway. Longer than a region takes to move is for nobody's good: the next oracle waits behind it."""

Say = Callable[[str, str, dict[str, Any]], None]
"""(event, text, more of it for programs)"""


def election_path(prefix: str) -> str:
    """In ZooKeeper. prefix: hbase.prefix."""
    return f"/adsindex/{prefix}oracle"


class OracleRole:
    """`run` returns after `stop`; both in the main thread, or `stop` in a handler of signals."""

    def __init__(self, settings: Settings, data: Path, say: Say) -> None:
        """Raises SettingsError and UnavailableError when it can't begin."""
        addresses = hbase_addresses(settings.hbase, data)
        self._names, self._clock, self._say = TableNames(settings.hbase.prefix), SystemClock(), say
        self._thrift = f"{addresses.thrift_host}:{addresses.thrift_port}"
        self._limits = _limits(settings.oracle)
        self._cells = ThriftCells(addresses.thrift_host, addresses.thrift_port, self._clock, _ANSWER_MS_MAX)
        MasterTables(addresses.zookeeper, self._clock, time.sleep).require(oracle_tables(self._names))
        self._stopping = False
        self._service = OracleService(self._more_status)
        self._epoch = 0
        self._address = self._service.start(settings.oracle.host, settings.oracle.port)
        self._election = LeaderElection(
            addresses.zookeeper,
            election_path(settings.hbase.prefix),
            lost=self._service.look,
            address=self._address,
            session_s=settings.oracle.session_s,
        )

    def run(self) -> None:
        """Raises FencedError when another one has taken over: this process is to end."""
        self._say("standby", f"oracle at {self._address}: stands by", {"address": self._address})
        try:
            while not self._stopping:
                self._try()
        finally:
            self._election.release()
            self._election.close()
            self._service.stop()
            self._cells.close()

    def stop(self) -> None:
        """What is being decided is made durable and answered; then the next one may lead."""
        self._stopping = True
        self._service.look()

    def _try(self) -> None:
        try:
            if self._election.campaign(_LOOK_S):
                self._lead()
        except UnavailableError as error:
            self._say("trouble", f"oracle at {self._address}: {error}", {"error": True})
            self._election.release()
            time.sleep(_LOOK_S)

    def _lead(self) -> None:
        storage = oracle_storage(self._cells, self._names, os.urandom(NONCE_BYTES), self._pause)
        oracle = Oracle(storage, self._clock, self._limits, self._pause, threading.Lock())
        self._epoch = oracle.epoch
        self._election.publish(Leader(self._address, oracle.epoch))
        self._say(
            "leads",
            f"oracle at {self._address}: leads, from timestamp {oracle.epoch} on",
            {"address": self._address, "epoch": oracle.epoch},
        )
        self._service.lead(oracle, self._wanted)
        self._election.release()
        self._say("standby", f"oracle at {self._address}: leads no more", self._service.status())

    def _wanted(self) -> bool:
        return self._election.held and not self._stopping

    def _pause(self, attempt: int) -> None:
        """Between attempts at the store. Who is not wanted any more leaves the rest to the next one."""
        if not self._wanted():
            raise UnavailableError("HBase does not answer, and this oracle is to lead no more")
        if attempt == _ATTEMPTS_UNTOLD:
            trouble = f"no answer from HBase through Thrift at {self._thrift}; it goes on trying"
            self._say("trouble", f"oracle at {self._address}: {trouble}", {"error": True})
        time.sleep(min(0.01 * 2 ** min(attempt, 10), _PAUSE_S_MAX))  # after minutes 2**attempt is no float

    def _more_status(self) -> dict[str, Any]:
        return {"address": self._address, "epoch": self._epoch}


def _limits(settings: OracleSettings) -> OracleLimits:
    return OracleLimits(cells_max=settings.conflict_cells_max, age_ms_max=int(settings.transaction_age_s_max * 1000))
