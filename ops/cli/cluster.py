"""`adsindex cluster`: the real servers on this machine, for development and tests."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.cluster.cluster import Cluster, ServerStatus
from ops.cluster.kits import chosen

cluster = App(name="cluster", help="ZooKeeper and HBase on this machine.", help_format="plaintext")

Only = Annotated[
    tuple[str, ...],
    Parameter(name="--only", negative_iterable=(), show_default=False, help="Only these servers: hbase."),
]


@cluster.command
def up(*, only: Only = (), data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Start what does not run; returns when every server answers. They listen on 127.0.0.1 only.

    The first time Maven fetches their jars. Configuration, ports, logs and data are in DIR/cluster.

    For example:

        adsindex cluster up --only hbase
    """
    opened = _cluster(data, only)
    opened.up()
    return _show(opened.status(), json)


@cluster.command
def down(*, only: Only = (), data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Stop what runs; the data stays. A server that does not stop is killed.

    For example:

        adsindex cluster down
    """
    opened = _cluster(data, only)
    opened.down()
    if json:
        render.print_json([asdict(server) for server in opened.status()])
    return OK


@cluster.command
def status(*, only: Only = (), data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Show each server: address, process, memory, and what it answers.

    For example:

        adsindex cluster status --json

    Exit code 1: one does not run, or does not answer.
    """
    return _show(_cluster(data, only).status(), json)


def _cluster(data: Path, only: tuple[str, ...]) -> Cluster:
    return Cluster(data / "cluster", chosen(only), os.environ, render.note)


def _show(servers: list[ServerStatus], json: bool) -> int:
    wrong = [server for server in servers if server.problem]
    if json:
        render.print_json([asdict(server) for server in servers])
    else:
        columns = ("server", "address", "process", "memory", "answers")
        render.print_table(columns, [_row(server) for server in servers], right=(2, 3))
        for server in wrong:
            if server.address:  # it has been started some time
                render.print_problem(f"{server.server} {server.problem}; its log: {server.log}")
    return WRONG if wrong else OK


def _row(server: ServerStatus) -> tuple[str, ...]:
    memory = "" if server.memory_bytes is None else render.size(server.memory_bytes)
    return server.server, server.address, str(server.pid or ""), memory, server.answer or server.problem
