"""The three priorities."""

from enum import IntEnum


class Lane(IntEnum):
    """A priority. HIGH: control data; MEDIUM: content in real time; LOW: batch, backfill, refresh."""

    HIGH = 0
    MEDIUM = 1
    LOW = 2

    @classmethod
    def parse(cls, text: str) -> "Lane":
        """`"high"` -> `Lane.HIGH`. Raises KeyError for anything else."""
        return cls[text.upper()]
