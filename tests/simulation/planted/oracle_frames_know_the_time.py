"""A frame is decided at the present time. Off: only begins tell it."""

import pytest

from repo.oracle.frames import Decided, Frame
from repo.oracle.oracle import Oracle


def plant(patch: pytest.MonkeyPatch) -> None:
    frame = Oracle.frame

    def timeless(self: Oracle, asked: Frame) -> Decided:
        machine = self._machine
        with pytest.MonkeyPatch.context() as during:
            during.setattr(machine, "tick", lambda *now: during.undo())
            return frame(self, asked)

    patch.setattr(Oracle, "frame", timeless)
