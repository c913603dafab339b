"""What imports can't show: who reads the clock, draws random numbers, touches files, looks at the environment.

Together with the ignored imports in setup.cfg this is the inventory of all that touches the outside world. Everything
else is given time, randomness and ids as arguments: a test gives it others, and it does the same again.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.tree import Module, code

CLOCK, FILES, RANDOM, ENVIRONMENT = "clock", "files", "randomness", "environment"

INVENTORY: dict[str, set[str]] = {
    "proto/flows/loader.py": {FILES},
    "argus/signals/http.py": {CLOCK},
    "repo/lmdb/store.py": {CLOCK, FILES},
    "gateway/capture/sqlite/file.py": {FILES},
    "ops/audit.py": {FILES},
    "ops/bench/crash.py": {CLOCK, FILES},
    "ops/bench/machine.py": {FILES},
    "ops/bench/phases.py": {FILES},
    "ops/bench/stages.py": {CLOCK},
    "ops/cli/acts.py": {ENVIRONMENT},
    "ops/cli/announce.py": {CLOCK},
    "ops/cli/app.py": {ENVIRONMENT, FILES},
    "ops/cli/backfill.py": {CLOCK, ENVIRONMENT},
    "ops/cli/bench.py": {ENVIRONMENT, FILES},
    "ops/cli/cluster.py": {ENVIRONMENT},
    "ops/cli/config.py": {ENVIRONMENT},
    "ops/cli/demo.py": {ENVIRONMENT, FILES},
    "ops/cli/doctor.py": {ENVIRONMENT, FILES},
    "ops/cli/fixture.py": {FILES},
    "ops/cli/ingest.py": {CLOCK},
    "ops/cli/flows_wait.py": {CLOCK},
    "ops/cli/init.py": {FILES},
    "ops/cli/lanes_stale.py": {CLOCK},
    "ops/cli/rebuild.py": {FILES},
    "ops/cli/oracle.py": {ENVIRONMENT},
    "ops/cli/run.py": {ENVIRONMENT, FILES},
    "ops/cli/run_oracle.py": {ENVIRONMENT},
    "ops/cli/source.py": {ENVIRONMENT, FILES},
    "ops/cli/status.py": {FILES},
    "ops/cli/wait.py": {CLOCK, FILES},
    "ops/cluster/cluster.py": {CLOCK, FILES},
    "ops/cluster/jars.py": {FILES},
    "ops/cluster/java.py": {FILES},
    "ops/cluster/ports.py": {FILES},
    "ops/cluster/process.py": {CLOCK, ENVIRONMENT, FILES},
    "ops/demo/check.py": {FILES},
    "ops/demo/director.py": {FILES},
    "ops/demo/editor.py": {CLOCK, FILES},
    "ops/demo/schema.py": {FILES},
    "ops/cli/devrun.py": {FILES},
    "ops/devrun/child.py": {CLOCK, FILES},
    "ops/devrun/dry_run.py": {FILES},
    "ops/devrun/frames.py": {FILES},
    "ops/devrun/loading.py": {FILES},
    "ops/devrun/process.py": {ENVIRONMENT, FILES},
    "ops/engine/clock.py": {CLOCK},
    "ops/engine/doorbell.py": {ENVIRONMENT, FILES},
    "ops/engine/file_watch.py": {FILES},
    "ops/engine/liveness.py": {ENVIRONMENT, FILES},
    "ops/engine/pauses.py": {FILES},
    "ops/engine/served.py": {FILES},
    "ops/engine/status.py": {FILES},
    "ops/engine/status_file.py": {ENVIRONMENT, FILES},
    "ops/flows_files.py": {FILES},
    "ops/inputs/files.py": {FILES},
    "ops/inputs/report_file.py": {FILES},
    "ops/installation.py": {FILES},
    "ops/opened.py": {FILES, RANDOM},
    "ops/readers.py": {FILES},
    "ops/replaced.py": {FILES},
    "ops/settings.py": {FILES},
    "ops/stale/request.py": {FILES},
    "ops/wiring/handlers.py": {FILES},
    "ops/wiring/oracle.py": {CLOCK, RANDOM},
    "ops/wiring/store.py": {FILES, RANDOM},
}

_CALLS = {
    "open": FILES, "datetime.now": CLOCK, "datetime.utcnow": CLOCK, "datetime.today": CLOCK, "date.today": CLOCK,
    "os.urandom": RANDOM, "os.getrandom": RANDOM, "Random": RANDOM, "random.Random": RANDOM, "SystemRandom": RANDOM,
}  # fmt: skip
_MODULES = {"time": CLOCK, "random": RANDOM, "shutil": FILES, "secrets": RANDOM, "uuid": RANDOM}
_PROCESS = ("os.getpid", "os.environ", "os.getenv", "os.kill", "sys.argv")
_PURE = ("os.path", "os.fspath", "os.fsencode", "os.devnull", "random.Random")
_METHODS = (
    "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink", "touch", "iterdir", "glob", "rglob",
    "exists", "is_file", "is_dir", "rename",
)  # fmt: skip


@pytest.mark.parametrize("module", code(), ids=lambda module: module.path)
def test_only_the_modules_of_the_inventory_touch_the_outside_world(module: Module) -> None:
    found: dict[str, list[str]] = {}
    for kind, where in _touches(module):
        found.setdefault(kind, []).append(where)
    known = INVENTORY.get(module.path, set())
    assert {kind: where for kind, where in found.items() if kind not in known} == {}, "take it as an argument"
    assert known <= found.keys(), "the inventory names what it no longer does"


def test_the_inventory_names_modules_that_are_there() -> None:
    assert INVENTORY.keys() <= {module.path for module in code()}


def _touches(module: Module) -> Iterator[tuple[str, str]]:
    """(kind, line and text) of everything in it that time, chance, files or the environment decide."""
    imported = {alias.name for node in ast.walk(module.tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            kind = _CALLS.get(name)
            if kind is not None and not (name.endswith("Random") and (node.args or node.keywords)):
                yield kind, f"line {node.lineno}: {name}"
            elif isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
                yield FILES, f"line {node.lineno}: {name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in _PROCESS:
                yield ENVIRONMENT, f"line {node.lineno}: {name}"
            elif node.value.id in _MODULES and node.value.id in imported and name not in (*_PURE, *_CALLS):
                yield _MODULES[node.value.id], f"line {node.lineno}: {name}"
            elif node.value.id == "os" and node.attr.islower() and name not in (*_PURE, *_CALLS):
                yield FILES, f"line {node.lineno}: {name}"
