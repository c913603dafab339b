"""Many frames as one, and each one's share of the replies."""

from repo.api import OutcomeKind
from repo.oracle.frames import BeginRequest, BegunRange, Frame, Replies
from repo.oracle.port import CommitRequest, Decision, Fate, Resolution
from repo.oracle.rounds import Sizes, merged, shares

FRAMES = [
    Frame(begins=[BeginRequest(2)], settles=[7]),
    Frame(),
    Frame(commits=[CommitRequest(3, 1, (1,)), CommitRequest(4, 1, (2,))], resolves=[8, 9]),
    Frame(begins=[BeginRequest(1, at_least=5)], commits=[CommitRequest(5, 1, (3,))]),
]


def test_a_round_asks_everything_in_the_order_of_arrival() -> None:
    whole = merged(FRAMES)
    assert [begin.id_count for begin in whole.begins] == [2, 1]
    assert [request.id for request in whole.commits] == [3, 4, 5]
    assert (whole.resolves, whole.settles) == ([8, 9], [7])


def test_each_frame_gets_its_own_replies() -> None:
    begun = [BegunRange(10, 2, 9), None]
    decided = [Decision(OutcomeKind.COMMITTED, n) for n in (11, 12, 13)]
    resolved, settled = [Resolution(Fate.UNDECIDED), Resolution(Fate.COMMITTED, 6)], [Resolution(Fate.ABORTED)]
    assert shares(Replies(begun, decided, resolved, settled), FRAMES) == [
        Replies(begun[:1], [], [], settled),
        Replies([], [], [], []),
        Replies([], decided[:2], resolved, []),
        Replies(begun[1:], decided[2:], [], []),
    ]


def test_a_frame_alone_is_not_copied() -> None:
    replies = Replies([], [], [], [])
    assert merged(FRAMES[:1]) is FRAMES[0]
    assert shares(replies, FRAMES[:1])[0] is replies


def test_sizes_are_counted_without_the_empty_ones() -> None:
    sizes = Sizes()
    for size in (3, 0, 6, 1):
        sizes.add(size)
    assert sizes.as_dict() == {"count": 3, "mean": 3.33, "max": 6}
    assert Sizes().as_dict() == {"count": 0, "mean": 0.0, "max": 0}
