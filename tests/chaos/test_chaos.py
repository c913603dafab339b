"""Two seeds in each run of the tests; `make chaos` runs as many as one likes."""

from pathlib import Path

import pytest

from tests.chaos.play import Play


@pytest.mark.parametrize("number", [1, 2])
def test_afterwards_everything_is_as_if_nothing_had_happened(tmp_path: Path, number: int) -> None:
    play = Play(number, tmp_path)
    try:
        play.run(seconds=4.0)
    finally:
        print(*play.did, sep="\n")
        play.close(keep=True)
