"""Progress of one partition: what is offered, what is finished, what an undone group leaves."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ops.engine.progress import Progress


def progress(*, ordered: bool = False, outstanding_max: int = 1000) -> Progress:
    return Progress(10, ordered=ordered, outstanding_max=outstanding_max)


def offered(one: Progress, now_ms: float = 0, end: int = 20, limit: int = 100) -> list[int]:
    return list(one.offer(now_ms, end, limit).offsets)


def test_offers_what_is_new_up_to_the_limit() -> None:
    one = progress()
    assert offered(one, limit=3) == [10, 11, 12]
    one.begin([10, 11, 12])
    one.finish([10, 11, 12])
    assert one.position == 13
    assert offered(one) == list(range(13, 20))


def test_an_unordered_partition_goes_on_beyond_a_message_that_waits() -> None:
    one = progress()
    one.begin([10, 11, 12])
    one.again(10, due_ms=50)
    one.finish([11, 12])
    assert one.position == 10
    assert offered(one, now_ms=0, limit=2) == [13, 14]
    assert offered(one, now_ms=50, limit=2) == [10, 13]
    one.begin([10])
    one.finish([10])
    assert one.position == 13


def test_an_ordered_partition_waits() -> None:
    one = progress(ordered=True)
    one.begin([10, 11, 12])
    one.finish([10])
    one.again(11, due_ms=50)
    assert offered(one, now_ms=49) == []
    assert one.due_ms() == 50
    assert offered(one, now_ms=50, limit=2) == [11, 12]
    assert one.attempts(11) == 1
    assert one.attempts(12) == 0


def test_it_runs_ahead_of_a_waiting_message_only_so_far() -> None:
    one = progress(outstanding_max=4)
    one.begin([10])
    one.again(10, due_ms=50)
    one.begin([11, 12, 13])
    one.finish([11, 12, 13])
    assert offered(one) == []
    assert offered(one, now_ms=50) == [10]


@pytest.mark.parametrize("ordered", [True, False])
def test_after_a_batch_that_raised_each_is_offered_alone(ordered: bool) -> None:
    one = progress(ordered=ordered)
    one.begin([10, 11, 12])
    one.undone()
    one.suspect([10, 11, 12])
    for offset in (10, 11, 12):
        offer = one.offer(0, 20, 100)
        assert (list(offer.offsets), offer.alone) == ([offset], True)
        one.begin([offset])
        one.finish([offset])
    offer = one.offer(0, 20, 100)
    assert (list(offer.offsets), offer.alone) == (list(range(13, 20)), False)


def test_one_that_raised_alone_is_offered_alone_when_it_is_due() -> None:
    one = progress()
    one.begin([10])
    one.undone()
    one.raised(10, due_ms=50)
    assert one.failures(10) == 1
    assert offered(one, now_ms=0, limit=2) == [11, 12]
    offer = one.offer(50, 20, 100)
    assert (list(offer.offsets), offer.alone) == ([10], True)
    one.begin([10])
    one.again(10, due_ms=60)  # a Retry in between does not forget how often it raised
    assert one.failures(10) == 1
    assert one.attempts(10) == 2


def test_undone_goes_back_to_before_the_group_and_committed_stays() -> None:
    one = progress()
    one.begin([10, 11])
    one.again(10, due_ms=50)
    one.finish([11])
    one.committed()
    one.begin([10, 12])
    one.finish([10, 12])
    assert one.position == 13
    one.undone()
    assert one.position == 10
    assert offered(one, now_ms=50, limit=2) == [10, 12]


def test_skips_what_is_no_longer_retained_and_counts_what_was_never_finished() -> None:
    one = progress()
    one.begin([10, 11, 12])
    one.again(10, due_ms=50)
    one.finish([11])
    assert one.skip_to(15) == 4
    assert one.position == 15
    assert offered(one, now_ms=100, end=17) == [15, 16]


class ProgressMachine(RuleBasedStateMachine):
    """Random outcomes and undone groups: nothing is skipped, nothing finished is offered again, all ends in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.ordered = False
        self.one = Progress(0, ordered=False, outstanding_max=8)
        self.finished: set[int] = set()
        self.end = 0
        self.now_ms = 0.0

    @precondition(lambda self: self.end == 0)
    @rule(ordered=st.booleans())
    def choose_kind(self, ordered: bool) -> None:
        self.ordered = ordered
        self.one = Progress(0, ordered=ordered, outstanding_max=8)

    @rule(count=st.integers(1, 6))
    def append(self, count: int) -> None:
        self.end += count

    @rule(ms=st.integers(1, 40))
    def pass_time(self, ms: int) -> None:
        self.now_ms += ms

    @rule(
        limit=st.integers(1, 5),
        outcomes=st.lists(st.sampled_from("ddddrx"), min_size=5, max_size=5),
        undo=st.booleans(),
    )
    def process(self, limit: int, outcomes: list[str], undo: bool) -> None:
        offer = self.one.offer(self.now_ms, self.end, limit)
        offsets = list(offer.offsets)
        if not offsets:
            return
        assert len(offsets) <= limit
        assert not self.finished & set(offsets)
        assert len(offsets) == 1 or not offer.alone
        self.one.begin(offsets)
        done = []
        if "x" in outcomes[: len(offsets)]:
            self.one.undone()
            if len(offsets) == 1:
                self.one.raised(offsets[0], self.now_ms + 10)
            else:
                self.one.suspect(offsets)
            return
        for offset, outcome in zip(offsets, outcomes, strict=False):
            if outcome == "r":
                if self.ordered:
                    break
            else:
                done.append(offset)
        if done:
            self.one.finish(done)
        for offset in [offset for offset in offsets if offset not in done][: 1 if self.ordered else None]:
            self.one.again(offset, self.now_ms + 10)
        if undo:
            self.one.undone()
        else:
            self.one.committed()
            self.finished.update(done)

    @invariant()
    def position_is_the_lowest_unfinished(self) -> None:
        expected = next(offset for offset in range(self.end + 1) if offset not in self.finished)
        assert self.one.position == expected

    def teardown(self) -> None:
        for _ in range(4 * self.end + 4):
            self.now_ms += 100
            offsets = list(self.one.offer(self.now_ms, self.end, 3).offsets)
            if offsets:
                self.one.begin(offsets)
                self.one.finish(offsets)
                self.one.committed()
        assert self.one.position == self.end
        assert self.one.waiting() == 0


TestProgressMachine = ProgressMachine.TestCase
TestProgressMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
