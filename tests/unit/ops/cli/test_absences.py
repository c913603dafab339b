"""What `status` and `wait` say when something runs, and yet not all that an edit needs."""

import os
import time
from pathlib import Path
from typing import Any

from msgspec.json import encode as encode_json

from ops.engine.liveness import Liveness
from ops.engine.status import ProcessStatus, StepStatus
from ops.installation import Installation, save_installation


def test_a_role_that_nobody_has_is_a_problem(folder: Any, adsindex: Any, tmp_path: Path) -> None:
    folder.close()
    liveness = Liveness(tmp_path / "data")
    liveness.hold("argus")
    try:
        ran = adsindex("status", "--json")
        absent = "no gateway and no updater runs: start it with `adsindex run --role gateway,updater`"
        assert (ran.code, ran.json["problems"]) == (1, [absent])
        assert absent in adsindex("wait", "--timeout", "0", "--json").json["waiting_for"]
    finally:
        liveness.close()


def test_a_role_whose_process_stands_by_is_a_problem(folder: Any, adsindex: Any, tmp_path: Path) -> None:
    folder.close()
    older, newer = Liveness(tmp_path / "data"), Liveness(tmp_path / "data")
    try:
        for process, role, generation in ((older, "argus", 1), (newer, "gateway+updater", 2)):
            process.hold(role)
            process.say(generation)
        (problem,) = adsindex("status", "--json").json["problems"]
        until = f"until the processes of older flows have ended: argus ({os.getpid()})"
        assert problem == f"no gateway and no updater works: it stands by {until}"
        older.close()
        older.hold("gateway+updater+argus")
        older.say(1)
        assert adsindex("status", "--json").code == 0
    finally:
        older.close()
        newer.close()


def test_a_source_that_was_attached_beside_a_running_gateway_is_a_problem(
    folder: Any, adsindex: Any, tmp_path: Path
) -> None:
    folder.close()
    save_installation(tmp_path / "data", Installation({"main": "sqlite:////a.db", "ap": "sqlite:////b.db"}))
    liveness = Liveness(tmp_path / "data")
    liveness.hold("gateway+updater+argus")
    try:
        assert adsindex("status", "--json").code == 0, "it has not said yet what it captures"
        (tmp_path / "data/status").mkdir(exist_ok=True)
        now_ms, steps = time.time() * 1000, [StepStatus("gateway main")]
        told = ProcessStatus(os.getpid(), "gateway+updater+argus", now_ms, now_ms, steps)
        (tmp_path / "data/status/all.json").write_bytes(encode_json(told))
        (problem,) = adsindex("status", "--json").json["problems"]
        assert problem == "source ap is attached, and no process captures it: start the gateway again"
    finally:
        liveness.close()
