"""What a process names in begin never goes back, whichever thread tells last."""

import pytest

from repo.hbase.newest import Newest


def test_an_older_timestamp_changes_nothing() -> None:
    newest = Newest()
    assert newest.timestamp == 0
    for timestamp in (50, 150, 100, 150):
        newest.tell(timestamp)
    assert newest.timestamp == 150


@pytest.mark.parametrize("overtaken_at", [1, 2])
def test_a_thread_that_is_overtaken_by_a_newer_one_changes_nothing(overtaken_at: int) -> None:
    newest = Newest()

    class Slow(int):
        """Compared by the one thread; at one of these times the other one tells a newer timestamp."""

        compared = 0

        def __gt__(self, other: int) -> bool:
            Slow.compared += 1
            if Slow.compared == overtaken_at:
                newest.tell(150)
            return super().__gt__(other)

        def __le__(self, other: int) -> bool:
            return not self > other

    newest.tell(Slow(100))
    assert newest.timestamp == 150
