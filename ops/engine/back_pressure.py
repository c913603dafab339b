"""Back-pressure: the gateway is held while a lane behind it has too much to do."""

from collections.abc import Sequence

from ops.engine.stage import Stage
from proto.lane import Lane


class Gate:
    """Shut while a stage is more than backlog_max behind in the lane; open again at half of it, lest it flap."""

    def __init__(self, stages: Sequence[Stage], lane: Lane, backlog_max: int) -> None:
        self.shut = False
        self._stages, self._lane, self._backlog_max = stages, lane, backlog_max

    def __call__(self) -> bool:
        """Whether more may come in."""
        behind = max([stage.consumer.behind(self._lane) for stage in self._stages], default=0)
        self.shut = behind > (self._backlog_max // 2 if self.shut else self._backlog_max)
        return not self.shut
