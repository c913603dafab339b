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
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test fails where everything has to run; an expected failure stays one."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("ADSINDEX_REQUIRE_ALL") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"ADSINDEX_REQUIRE_ALL=1, and this was left out. {reason}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m cluster` chooses the tests that need real servers."""
    for item in items:
        if "installed" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.cluster)
