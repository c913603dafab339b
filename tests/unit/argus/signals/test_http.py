"""The HTTP fetcher against a real server: what is sent, what comes back, and everything that can be wrong with it."""

from collections.abc import Iterator

import pytest

from argus.api import Reading
from argus.signals.answers import checked
from argus.signals.http import HttpFetcher
from argus.signals.port import Answer
from proto.errors import InvalidMessageError, UnavailableError
from proto.flows.model import Signal
from tests.support.signal_server import Body, SignalServer, dripping, said, saying

SIGNAL = Signal(
    "image", "http://127.0.0.1:1/", "pin_id", {"signature": "bytes", "width": "int"}, 60.0, 60.0,
    timeout_ms=2000.0, response_bytes_max=100_000,
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[SignalServer]:
    with SignalServer(saying()).running() as running:
        yield running


@pytest.fixture
def fetcher(server: SignalServer) -> Iterator[HttpFetcher]:
    made = HttpFetcher(SIGNAL, server.url)
    yield made
    made.close()


def test_one_call_for_many_keys(server: SignalServer, fetcher: HttpFetcher) -> None:
    server.answer = saying(
        {"key": 7, "version": 3, "values": {"signature": "AAE=", "width": 736}},
        {"key": 8, "values": None},
        {"key": 9, "version": 1, "values": {}},
        {"key": [1], "version": 1, "values": {}},
    )
    assert fetcher([7, 8]) == {7: Reading({"signature": b"\0\1", "width": 736}, 3), 8: None}
    assert server.asked == [[7, 8]]


def test_keys_that_are_bytes_travel_as_base64(server: SignalServer, fetcher: HttpFetcher) -> None:
    server.answer = saying({"key": "AAE=", "version": 1, "values": {"width": 1}})
    assert fetcher([b"\0\1"]) == {b"\0\1": Reading({"width": 1, "signature": None}, 1)}
    assert server.asked == [["AAE="]]


def test_wrong_values_are_refused_by_key(server: SignalServer, fetcher: HttpFetcher) -> None:
    server.answer = saying(
        {"key": 1, "version": 1, "values": {"signature": "not base64", "width": "wide"}},
        {"key": 2, "version": "two", "values": {}},
        {"key": 3, "version": 1, "values": [1, 2]},
        {"key": 4, "version": 1, "values": {"width": 2}},
    )
    answers, refused = checked(SIGNAL, [1, 2, 3, 4, 5], fetcher([1, 2, 3, 4, 5]))
    assert answers == {4: Answer(1, (None, 2))}
    assert "field 'width': 'wide'" in refused[1] and "version 'two'" in refused[2]
    assert "not a Reading" in refused[3] and "no answer" in refused[5]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"<html>rubbish</html>", "not what was agreed"),
        (b'{"answers": 5}', 'wanted is {"answers": '),
        (b"\xff\xfe", "not what was agreed"),
        (b"[" * 100_000, "not what was agreed"),
        (b'{"answers": [' + b" " * 10_000_000, "above response_bytes_max = 100,000"),
    ],
)
def test_rubbish_and_too_much_are_told(server: SignalServer, fetcher: HttpFetcher, body: bytes, wrong: str) -> None:
    server.answer = lambda keys: iter([body])
    with pytest.raises(InvalidMessageError, match=wrong):
        fetcher([7])


def test_another_status_than_200_is_told(server: SignalServer, fetcher: HttpFetcher) -> None:
    server.status = 503
    with pytest.raises(UnavailableError, match="HTTP 503 Service Unavailable"):
        fetcher([7])


def test_a_service_that_is_down_is_told() -> None:
    fetcher = HttpFetcher(SIGNAL)
    with pytest.raises(UnavailableError, match=r"http://127\.0\.0\.1:1/: .*refused"):
        fetcher([7])
    fetcher.close()


@pytest.mark.parametrize("body", [dripping(60.0), dripping(0.02)])
def test_an_answer_that_does_not_end_is_given_up(server: SignalServer, body: Body) -> None:
    hasty = Signal("image", server.url, "pin_id", {"width": "int"}, 60.0, 60.0, timeout_ms=100.0)
    server.answer = body
    fetcher = HttpFetcher(hasty)
    with pytest.raises(UnavailableError, match="no whole answer within 100 ms"):
        fetcher([7])
    fetcher.close()


def test_after_a_failure_the_next_call_is_as_good_as_new(server: SignalServer, fetcher: HttpFetcher) -> None:
    server.answer = lambda keys: iter([b"rubbish"])
    with pytest.raises(InvalidMessageError):
        fetcher([7])
    server.answer = lambda keys: iter([said([{"key": 7, "values": None}])])
    assert fetcher([7]) == {7: None}
