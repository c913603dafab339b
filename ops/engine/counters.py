"""What a stage counts; `adsindex status` reads it."""

from dataclasses import dataclass


@dataclass(slots=True)
class StageCounters:
    """Since the process began.

    batches, items     offered to the processor, in groups that became durable; batch_items_max: the largest batch
    done, retried, dropped, dead_letters    outcomes; errors: groups that a raising processor undid
    skipped            messages that retention removed before they were processed; more than 0 is a mistake in settings
    busy_ms            time in which it worked, durable commits included
    """

    batches: int = 0
    items: int = 0
    batch_items_max: int = 0
    done: int = 0
    retried: int = 0
    dropped: int = 0
    dead_letters: int = 0
    errors: int = 0
    skipped: int = 0
    busy_ms: float = 0.0

    def add(self, other: "StageCounters") -> None:
        """Counts what a durable group did."""
        self.batches += other.batches
        self.items += other.items
        self.batch_items_max = max(self.batch_items_max, other.batch_items_max)
        self.done += other.done
        self.retried += other.retried
        self.dropped += other.dropped
        self.dead_letters += other.dead_letters
