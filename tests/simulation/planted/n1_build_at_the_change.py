"""N1: what a change asks for is done at a snapshot at or above it. Off: at any; the change may be in the commit table
already, and above the watermark. (Fan-outs do the same: it is their snapshot that a build would profit from.)"""

from typing import Any

import pytest

from argus.build import Builder
from argus.dispatch import Work
from argus.processor import Argus


def plant(patch: pytest.MonkeyPatch) -> None:
    attempt, spread = Builder._attempt, Argus._spread

    def build(self: Builder, keys: Any, causes: Any, at_least: int, *rest: Any, **named: Any) -> Any:
        return attempt(self, keys, causes, 0, *rest, **named)

    def fan_out(self: Argus, work: Work, newest: int) -> None:
        spread(self, work, 0)

    patch.setattr(Builder, "_attempt", build)
    patch.setattr(Argus, "_spread", fan_out)
