"""The shop of ads, with an updater over it."""

import pytest

from tests.support.shop import House


@pytest.fixture
def house() -> House:
    return House()
