"""What several tests on real servers share."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import RunningCluster
from tests.support.omid_world import OmidWorld, omid_world


@pytest.fixture(scope="session")
def world(hbase: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OmidWorld]:
    """Omid and our engine, for all tests of this process; each has rows of its own."""
    with omid_world(hbase, tmp_path_factory.mktemp("omid")) as world:
        yield world
