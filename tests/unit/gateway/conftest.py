"""Worlds: a database, a gateway over it, a mirror behind; closed after the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proto.flows.model import Flows
from tests.support.source import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes worlds that are closed after the test."""
    made: list[World] = []

    def make(flows: Flows, setup: str = "", **more: Any) -> World:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(World(folder, flows, setup, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
