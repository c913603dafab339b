"""No document mixes two source transactions, when another process commits in the middle of a build."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argus.api import HandlerContext, field
from proto.events import Cause
from proto.lane import Lane
from tests.support.argus_world import ADS_FLOWS, World, key_of, put

ROOT = Path(__file__).parents[3]


@pytest.fixture
def commit_elsewhere(tmp_path: Path) -> Iterator[Callable[[int], None]]:
    """Transaction n, made by another process, is durable when it returns."""
    command = [sys.executable, "-m", "tests.system.argus.another_process", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        assert stdout.readline() == "ready\n"

        def commit(number: int) -> None:
            print(number, file=stdin, flush=True)
            assert stdout.readline() == "done\n"

        yield commit
        stdin.close()
        assert process.wait() == 0


def test_a_commit_between_rows_and_index_is_not_half_seen(
    tmp_path: Path, commit_elsewhere: Callable[[int], None]
) -> None:
    world = World(tmp_path)
    world.commit(*(put("words", id=number, text=str(number)) for number in range(9)))
    commit_elsewhere(1)
    for number in range(2, 6):
        world.repo.before_scan = lambda number=number: commit_elsewhere(number)  # type: ignore[misc]
        world.parts.builders["ad"].build({key_of(1): Cause(world.repo.last_timestamp(), Lane.HIGH)})
        assert world.repo.before_scan is None, "it happened in the middle of the build"
        fields = world.fields(1)
        assert fields is not None and (fields["title"], fields["words"]) == (str(number - 1), [str(number - 1)])
    world.settle()
    fields = world.fields(1)
    assert fields is not None and (fields["title"], fields["words"]) == ("5", ["5"])
    world.close()


@field(inputs={"title": "title"}, version=1)
async def seen(ctx: HandlerContext, title: str) -> str:
    """The title, and the words that it finds by itself."""
    links = await ctx.collection(ctx.row("ads", 1), "words")
    return f"{title}: {[link['word_id'] for link in links]}"


def test_what_a_field_reads_by_itself_is_of_the_same_instant(
    tmp_path: Path, commit_elsewhere: Callable[[int], None]
) -> None:
    world = World(tmp_path, ADS_FLOWS.replace('words = "words.word.text"', 'seen = { handler = "seen" }'), [seen])
    commit_elsewhere(1)
    world.repo.before_scan = lambda: commit_elsewhere(2)
    world.parts.builders["ad"].build({key_of(1): Cause(world.repo.last_timestamp(), Lane.HIGH)})
    assert world.repo.before_scan is None and world.parts.builders["ad"].counts.conflicts == 1
    fields = world.fields(1)
    assert fields is not None and fields["seen"] == "2: [2]", "what was read had changed, so it was built anew (N4)"
    world.close()
