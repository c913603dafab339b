"""A round: the frames of all who wait, as one. Group commit needs no timer: the next round is what arrived during the
last one."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, TypeVar

from repo.oracle.frames import Decided, Frame, Replies

Answers = TypeVar("Answers", Decided, Replies)


def merged(frames: Sequence[Frame]) -> Frame:
    """One frame that asks all of it, in order."""
    if len(frames) == 1:
        return frames[0]
    return Frame(
        [begin for frame in frames for begin in frame.begins],
        [request for frame in frames for request in frame.commits],
        [id for frame in frames for id in frame.resolves],
        [id for frame in frames for id in frame.settles],
    )


def shares(answers: Answers, frames: Sequence[Frame]) -> list[Answers]:
    """The answers to what was `merged`: each frame's own."""
    if len(frames) == 1:
        return [answers]
    begins, commits = iter(answers.begins), iter(answers.commits)
    resolves, settles = iter(answers.resolves), iter(answers.settles)
    return [
        type(answers)(
            list(islice(begins, len(frame.begins))),
            list(islice(commits, len(frame.commits))),
            list(islice(resolves, len(frame.resolves))),
            list(islice(settles, len(frame.settles))),
        )
        for frame in frames
    ]


class Sizes:
    """How many came together each time."""

    def __init__(self) -> None:
        self.count, self.total, self.max = 0, 0, 0

    def add(self, size: int) -> None:
        """size: of one batch; an empty one is none."""
        if size:
            self.count += 1
            self.total += size
            self.max = max(self.max, size)

    def as_dict(self) -> dict[str, Any]:
        """count, mean and max, for `--json`."""
        return {"count": self.count, "mean": round(self.total / max(self.count, 1), 2), "max": self.max}
