"""Who consumes which topic: the consumer groups whose positions say how far each stage is."""

from typing import NamedTuple

from proto.events import NOTIFICATIONS, PUBLICATIONS, UPDATES, lane_topic
from proto.lane import Lane
from repo import drops

UPDATER, ARGUS, PUBLISHER = drops.UPDATER, drops.ARGUS, "publisher"


class Consumed(NamedTuple):
    """lane None: the topic carries all lanes."""

    topic: str
    consumer: str
    lane: Lane | None


CONSUMED = (
    *(Consumed(lane_topic(UPDATES, lane), UPDATER, lane) for lane in Lane),
    *(Consumed(lane_topic(NOTIFICATIONS, lane), ARGUS, lane) for lane in Lane),
    Consumed(PUBLICATIONS, PUBLISHER, None),
)
