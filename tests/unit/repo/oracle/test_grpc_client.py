"""The client: what waits goes together, nothing is committed twice, the leader is followed, and every wait ends."""

from collections.abc import Iterator
from threading import Thread

import pytest

from proto.errors import InvalidMessageError, UnavailableError
from proto.wire.oracle_pb2 import OracleAnswer
from repo.api import OutcomeKind
from repo.oracle import grpc_lane, grpc_service
from repo.oracle.grpc_client import CELLS_MAX, GrpcOracle
from repo.oracle.leader import Leader
from repo.oracle.port import Begun, CommitRequest, Decision, Fate
from tests.support.oracles import PATIENCE_S, Gate, MemoryStore, Published, Served, served, until

UNKNOWN = Decision(OutcomeKind.UNKNOWN)
SOON_S, LATER_S = 0.3, 1.0


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def flushes(store: MemoryStore) -> Gate:
    return store.table.puts


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def leading(store: MemoryStore, published: Published) -> Iterator[Served]:
    with served(store) as one:
        published.publish(one.lead())
        yield one


@pytest.fixture
def oracle(published: Published) -> Iterator[GrpcOracle]:
    client = GrpcOracle(published, deadline_s=PATIENCE_S)
    yield client
    client.close()


@pytest.fixture
def hasty(published: Published) -> Iterator[GrpcOracle]:
    """One that soon gives up."""
    client = GrpcOracle(published, deadline_s=SOON_S)
    yield client
    client.close()


@pytest.fixture
def giving_up(published: Published) -> Iterator[GrpcOracle]:
    """One that gives up, too, but not while a busy machine connects it."""
    client = GrpcOracle(published, deadline_s=LATER_S)
    yield client
    client.close()


def _writes(begun: Begun, *cells: int) -> CommitRequest:
    return CommitRequest(begun.id, begun.snapshot, cells)


def test_a_transaction(leading: Served, oracle: GrpcOracle) -> None:
    first, second = oracle.begin(2)
    decided, refused = oracle.commit([_writes(first, 1, 2), _writes(second, 2, 3)])
    assert decided.kind is OutcomeKind.COMMITTED
    assert refused == Decision(OutcomeKind.CONFLICT, decided.timestamp, 2)
    [next] = oracle.begin(at_least=decided.timestamp)
    assert next.snapshot >= decided.timestamp
    assert [one.fate for one in oracle.resolve([first.id, next.id])] == [Fate.COMMITTED, Fate.UNDECIDED]
    assert [one.fate for one in oracle.settle([first.id, next.id])] == [Fate.COMMITTED, Fate.ABORTED]


def test_what_waits_in_all_threads_goes_in_one_frame(leading: Served, oracle: GrpcOracle, flushes: Gate) -> None:
    begun = oracle.begin(41)
    decided: list[Decision] = []

    def commit(number: int) -> None:
        decided.extend(oracle.commit([_writes(begun[number], number)]))

    threads = [Thread(target=commit, args=(number,)) for number in range(41)]
    with flushes.held():
        threads[0].start()
        assert flushes.arrived.acquire(timeout=PATIENCE_S)
        for thread in threads[1:]:
            thread.start()
        until(lambda: oracle.waiting() == 40)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert [one.kind for one in decided] == [OutcomeKind.COMMITTED] * 41
    assert [len(frame.commits) for frame in leading.oracle.frames] == [1, 40]


def test_many_requests_are_cut_into_frames_in_order(
    leading: Served, oracle: GrpcOracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_lane, "FRAME_MAX", 30)
    begun = oracle.begin(30)
    decided = oracle.commit([_writes(one, number, number + 1000) for number, one in enumerate(begun)])
    assert [len(frame.commits) for frame in leading.oracle.frames] == [10, 10, 10]
    assert sorted(one.timestamp for one in decided) == [one.timestamp for one in decided]
    ids = [one.id for one in begun] * 5
    assert [one.commit_timestamp for one in oracle.resolve(ids)] == [one.timestamp for one in decided] * 5


def test_a_commit_whose_answer_was_lost_is_unknown_never_sent_again_and_settled_by_the_next_leader(
    leading: Served, oracle: GrpcOracle, store: MemoryStore, flushes: Gate, published: Published
) -> None:
    request = _writes(*oracle.begin(), 1)
    with served(store) as successor:
        with flushes.held():
            told: list[Decision] = []
            thread = Thread(target=lambda: told.extend(oracle.commit([request])))
            thread.start()
            assert flushes.arrived.acquire(timeout=PATIENCE_S)
            published.publish(Leader(successor.address, 2))  # the old one is silent, as if it were stopped
            thread.join(PATIENCE_S)
            assert told == [UNKNOWN]
        leading.step_down()
        successor.lead()
        [settled] = oracle.settle([request.id])
        assert settled.fate is Fate.COMMITTED
        sent = [one.id for server in (leading, successor) for frame in server.oracle.frames for one in frame.commits]
        assert sent == [request.id]


def test_what_changes_nothing_is_asked_again_at_the_next_leader(
    leading: Served, oracle: GrpcOracle, store: MemoryStore, published: Published
) -> None:
    [before] = oracle.begin()
    leading.step_down()
    begun: list[Begun] = []
    thread = Thread(target=lambda: begun.extend(oracle.begin()))
    thread.start()
    with served(store) as successor:
        published.publish(successor.lead())
        thread.join(PATIENCE_S)
        assert begun[0].id > begun[0].snapshot >= successor.oracle.epoch > before.id


def test_a_begin_that_it_does_not_reach_says_so(leading: Served, oracle: GrpcOracle) -> None:
    with pytest.raises(UnavailableError, match="may be a former leader"):
        oracle.begin(at_least=2**62)


def test_without_a_leader_every_call_ends_and_says_why(hasty: GrpcOracle) -> None:
    for call in (hasty.begin, lambda: hasty.resolve([1]), lambda: hasty.settle([1])):
        with pytest.raises(UnavailableError, match=r"no oracle leads.*adsindex run --role oracle"):
            call()
    assert hasty.commit([CommitRequest(2, 1, (7,))]) == [UNKNOWN]


def test_where_nobody_listens_every_call_ends_and_says_so(published: Published, hasty: GrpcOracle) -> None:
    published.publish(Leader("127.0.0.1:1", 1))
    with pytest.raises(UnavailableError, match=r"the oracle at 127\.0\.0\.1:1 did not answer"):
        hasty.begin()


def test_a_commit_that_was_given_up_before_it_was_sent_is_never_sent(
    published: Published, giving_up: GrpcOracle, store: MemoryStore
) -> None:
    assert giving_up.commit([CommitRequest(2, 1, (7,))]) == [UNKNOWN]
    with served(store) as late:
        published.publish(late.lead())
        assert giving_up.begin()
        assert [request for frame in late.oracle.frames for request in frame.commits] == []


@pytest.mark.parametrize("connected", [False, True], ids=["the lane's thread waits", "who asks waits himself"])
def test_a_leader_that_does_not_answer_is_given_up_and_asked_again_later(
    leading: Served, giving_up: GrpcOracle, flushes: Gate, connected: bool
) -> None:
    first, second = giving_up.begin(2)
    if connected:
        giving_up.resolve([first.id])
    with flushes.held():
        assert giving_up.commit([_writes(first, 1)]) == [UNKNOWN]
    [fate] = giving_up.settle([first.id])
    assert fate.fate is Fate.COMMITTED
    assert giving_up.commit([_writes(second, 2)])[0].kind is OutcomeKind.COMMITTED


def test_what_waits_behind_a_frame_that_is_not_answered_is_asked_again(
    leading: Served, giving_up: GrpcOracle, flushes: Gate
) -> None:
    [begun] = giving_up.begin()
    giving_up.resolve([begun.id])
    found: list[object] = []
    with flushes.held():
        first = Thread(target=lambda: found.append(giving_up.commit([_writes(begun, 1)])))
        first.start()
        assert flushes.arrived.acquire(timeout=PATIENCE_S)
        second = Thread(target=lambda: found.append(_told(giving_up, begun.id)))
        second.start()
        first.join(PATIENCE_S)
        second.join(PATIENCE_S)
    assert len(found) == 2 and [UNKNOWN] in found and "no answer" in found
    until(lambda: _told(giving_up, begun.id) is Fate.COMMITTED)


def _told(oracle: GrpcOracle, id: int) -> Fate | str:
    try:
        return oracle.resolve([id])[0].fate
    except UnavailableError:
        return "no answer"


def test_what_can_never_be_sent_is_refused_before_anything_is(leading: Served, oracle: GrpcOracle) -> None:
    good, bad = oracle.begin(2)
    with pytest.raises(InvalidMessageError, match="writes nothing"):
        oracle.commit([_writes(good, 1), _writes(bad)])
    with pytest.raises(InvalidMessageError, match=r"more than 1,000,000 cells"):
        oracle.commit([_writes(good, 1), _writes(bad, *range(CELLS_MAX + 1))])
    assert [frame for frame in leading.oracle.frames if frame.commits] == []


def test_a_commit_of_many_cells_fits(leading: Served, oracle: GrpcOracle) -> None:
    [decision] = oracle.commit([_writes(*oracle.begin(), *range(200_000))])
    assert decision.kind is OutcomeKind.COMMITTED


def test_a_closed_client_answers_nothing_more(leading: Served, oracle: GrpcOracle) -> None:
    oracle.begin()
    oracle.close()
    with pytest.raises(UnavailableError, match="closed"):
        oracle.begin()


def test_numbers_that_no_frame_holds_are_nobody_elses_trouble(leading: Served, oracle: GrpcOracle) -> None:
    [begun] = oracle.begin()
    for call in (lambda: oracle.snapshot(2**64), lambda: oracle.resolve([2**64]), lambda: oracle.settle([-1])):
        with pytest.raises(InvalidMessageError, match="numbers of 64 bits"):
            call()
    assert oracle.commit([_writes(begun, 1)])[0].kind is OutcomeKind.COMMITTED


@pytest.mark.parametrize("rubbish", [b"\xff", b"", OracleAnswer(decisions=b"\x63").SerializeToString()])
def test_an_answer_that_is_none_makes_a_commit_unknown_and_nothing_else(
    leading: Served, oracle: GrpcOracle, monkeypatch: pytest.MonkeyPatch, rubbish: bytes
) -> None:
    begun = oracle.begin(2)
    with monkeypatch.context() as patch:
        patch.setattr(grpc_service, "encode_replies", lambda replies: rubbish)
        assert oracle.commit([_writes(begun[0], 1)]) == [UNKNOWN]
    assert oracle.settle([begun[0].id])[0].fate is Fate.COMMITTED
    assert oracle.commit([_writes(begun[1], 2)])[0].kind is OutcomeKind.COMMITTED


def test_who_is_interrupted_leaves_no_answer_to_the_next(
    leading: Served, oracle: GrpcOracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = oracle.begin(3)
    oracle.resolve([first.id])

    def interrupted(answers: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(grpc_lane, "next", interrupted, raising=False)
        with pytest.raises(KeyboardInterrupt):
            oracle.commit([_writes(first, 1)])
    # Whether it arrived or not is decided now.
    found, aborted = oracle.settle([first.id, second.id])
    assert found.fate in (Fate.COMMITTED, Fate.ABORTED) and aborted.fate is Fate.ABORTED
    assert oracle.commit([_writes(third, 3)])[0].kind is OutcomeKind.COMMITTED
    assert oracle.resolve([first.id]) == [found]
