"""For all tests: what is left out is told, and with ADSINDEX_REQUIRE_ALL=1 it fails; no test fails for being slow."""

import gc
import os
import shutil
import tempfile
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.support.cluster import _faulty, hbase, hbase_faults, installed

__all__ = ["_faulty", "hbase", "hbase_faults", "installed"]

YOUNG_MAX, GENERATIONS = 20_000, (20, 20)

# The same examples in each run: whoever changes something else is not stopped by what chance has found.
settings.register_profile("adsindex", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("explore" if os.environ.get("ADSINDEX_EXPLORE") else "adsindex")


def pytest_configure(config: pytest.Config) -> None:
    """Sockets and databases of processes that tests kill lie in one folder, which goes when the tests end. What
    `tmp_path` gives stays for three runs, as ever."""
    if hasattr(config, "workerinput"):
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    tempfile.tempdir = os.environ["TMPDIR"] = folder = tempfile.mkdtemp(prefix="adsindex-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test fails where everything has to run; an expected failure stays one.

    All that are left out because servers can't be started are one line at the end, not one each.
    """
    report = yield
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    if os.environ.get("ADSINDEX_REQUIRE_ALL") == "1":
        report.outcome = "failed"
        report.longrepr = f"ADSINDEX_REQUIRE_ALL=1, and this was left out. {reason}"
    elif item.get_closest_marker("cluster") and report.when == "setup":
        report.longrepr = (str(item.config.rootpath / "tests/support/cluster.py"), 0, str(reason))
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m cluster` chooses the tests that need real servers."""
    for item in items:
        if "installed" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.cluster)


def pytest_collection_finish() -> None:
    """What was imported and collected stays. The garbage collector need not look at it again and again; and a quarter
    of the simulator's time was spent on looking for cycles, of which it makes few."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, *GENERATIONS)
