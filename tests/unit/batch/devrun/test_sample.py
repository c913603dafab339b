"""Which documents a dry run looks at."""

from collections.abc import Iterator
from random import Random
from typing import Any

from batch.devrun.sample import EVEN_SHARE, Sampler, spread

Candidate = tuple[bytes, bool, dict[str, Any]]


def candidates(count: int = 5_000) -> Iterator[Candidate]:
    """Two are not servable, three have no bid, one has a status of its own, four a negative score."""
    for number in range(count):
        fields = {
            "bid": None if number in (17, 1_717, 4_001) else number,
            "status": "ODD" if number == 2_222 else "ACTIVE" if number % 2 else "PAUSED",
            "score": -0.5 if number % 1_250 == 7 else 0.5,
            "title": f"title {number}",
            "words": [],
        }
        yield b"%05d" % number, number not in (3, 4_999), fields


def sampled(size: int, seed: int = 1) -> list[int]:
    sampler = Sampler(size, seed)
    for candidate in candidates():
        sampler.offer(*candidate)
    assert sampler.offered == 5_000
    return [int(key) for key in sampler.chosen()]


def test_a_sample_has_its_size_and_its_order_and_is_the_same_for_the_same_seed() -> None:
    chosen = sampled(200)
    assert len(set(chosen)) == 200 and chosen == sorted(chosen)
    assert chosen == sampled(200) != sampled(200, seed=2)


def test_what_is_rare_is_in_it() -> None:
    assert {3, 4_999, 17, 1_717, 4_001, 2_222} < set(sampled(200))
    assert len([number for number in sampled(200) if number % 1_250 == 7]) >= 3


def test_most_of_it_is_drawn_evenly() -> None:
    chosen = sampled(500)
    for first in range(0, 5_000, 1_000):
        part = sum(first <= number < first + 1_000 for number in chosen)
        assert EVEN_SHARE * 500 / 5 * 0.6 < part < 500 / 5 * 1.6


def test_a_sample_of_all_is_all() -> None:
    assert sampled(5_000) == sampled(9_999) == list(range(5_000))


def test_rows_are_drawn_from_everywhere() -> None:
    keys = [b"%03d" % number for number in range(100)]
    chosen = spread(keys, 20, Random(1))
    assert len(chosen) == 20 and chosen == sorted(chosen) and chosen[0] < b"030" and chosen[-1] > b"070"
    assert spread(keys, 100, Random(1)) == keys
