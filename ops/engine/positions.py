"""Positions that wait for a ride: they are saved with whatever is written next, or when the loop has been idle a while.

So an edit costs no durable commit for its positions alone. What is lost in a crash is processed again, which changes
nothing (processors are idempotent).
"""

from proto.ports.log import Log, PositionKey


class Positions:
    """One for a loop. A mark made in a group counts once the group is durable."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._unsaved: dict[PositionKey, int] = {}
        self._marked: dict[PositionKey, int] = {}
        self._rode = False

    def mark(self, consumer: str, topic: str, partition: int, position: int) -> None:
        """This is where the consumer goes on, if the open group becomes durable."""
        self._marked[consumer, topic, partition] = position

    def ride(self) -> None:
        """At the end of a group, inside it: saves all, if the group has written something anyway."""
        if (self._marked or self._unsaved) and self._log.writing():
            self._log.save_positions({**self._unsaved, **self._marked})
            self._rode = True

    def committed(self) -> None:
        """The group is durable."""
        if self._rode:
            self._unsaved.clear()
        else:
            self._unsaved.update(self._marked)
        self._marked.clear()
        self._rode = False

    def undone(self) -> None:
        """The group was undone: so are the marks made in it."""
        self._marked.clear()
        self._rode = False

    def unsaved(self) -> int:
        """How many positions wait for a ride."""
        return len(self._unsaved)

    def flush(self) -> None:
        """Saves what waits, in a commit of its own."""
        if self._unsaved:
            self._log.save_positions(self._unsaved)
            self._unsaved.clear()
