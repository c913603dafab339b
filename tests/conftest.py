"""For all tests: what is left out is told, and with ADSINDEX_REQUIRE_ALL=1 it fails; no test fails for being slow."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.support.cluster import _faulty, hbase, hbase_faults, installed

__all__ = ["_faulty", "hbase", "hbase_faults", "installed"]

settings.register_profile("adsindex", deadline=None, print_blob=True)
settings.load_profile("adsindex")


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
