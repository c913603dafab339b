"""The lock-step driver: rounds, exceptions, awaits that are not ours."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from argus.api import RowRef
from argus.driver import Ask, drive
from proto.errors import OverrunError

ROW = RowRef("ads", "main", (1,))


class Rounds:
    """Answers each round with its number; remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, asked: Sequence[tuple[int, Ask]]) -> list[Any]:
        self.asked.append([index for index, _ in asked])
        return [len(self.asked)] * len(asked)


async def awaits(count: int) -> list[int]:
    return [await Ask((ROW,)) for _ in range(count)]


def test_a_round_takes_every_coroutine_to_its_next_await() -> None:
    rounds = Rounds()
    finished = drive([awaits(0), awaits(2), awaits(1), awaits(3)], rounds)
    assert rounds.asked == [[1, 2, 3], [1, 3], [3]]
    assert [end.result for end in finished] == [[], [1, 2], [1], [1, 2, 3]]


def test_an_exception_ends_its_own_coroutine_only() -> None:
    async def fails() -> None:
        await Ask((ROW,))
        raise ValueError("no")

    finished = drive([fails(), awaits(2)], Rounds())
    assert isinstance(finished[0].error, ValueError) and finished[1].result == [1, 2]


def test_one_that_was_interrupted_ends_alone() -> None:
    async def interrupted() -> None:
        raise OverrunError("too long")

    finished = drive([interrupted(), awaits(2)], Rounds())
    assert isinstance(finished[0].error, OverrunError) and finished[1].result == [1, 2]


def test_one_that_awaits_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("argus.driver.ROUNDS_MAX", 20)
    ended = []

    async def goes_on() -> None:
        try:
            while True:
                await Ask((ROW,))
        finally:
            ended.append(True)

    finished = drive([goes_on(), awaits(20), awaits(21)], Rounds())
    assert "awaited 20 times" in str(finished[0].error) and ended == [True]
    assert len(finished[1].result) == 20 and "one ctx.read" in str(finished[2].error)


def test_an_answer_that_is_an_exception_is_raised_where_it_was_awaited() -> None:
    async def copes() -> str:
        try:
            await Ask((ROW,))
        except LookupError as error:
            return str(error)
        return ""

    (finished,) = drive([copes()], lambda asked: [LookupError("bad row")])
    assert finished.result == "bad row"


def test_an_await_that_is_not_ours_says_what_to_do_and_ends_cleanly() -> None:
    ended = []

    async def sleeps() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ended.append("sleeps")

    async def clings() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)

    finished = drive([sleeps(), clings(), awaits(1)], Rounds())
    assert "use a signal" in str(finished[0].error) and "use a signal" in str(finished[1].error)
    assert ended == ["sleeps"] and finished[2].result == [1]


def test_a_store_that_fails_ends_all_and_leaves_none_hanging() -> None:
    ended = []

    async def waits() -> None:
        try:
            await Ask((ROW,))
        finally:
            ended.append(True)

    def broken(asked: Sequence[tuple[int, Ask]]) -> list[Any]:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        drive([waits(), waits()], broken)
    assert ended == [True, True]
