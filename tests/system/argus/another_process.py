"""A process with an updater on the same data: for each line on its input it commits one source transaction.

Transaction n gives ad 1 the title n and the one word n, in two tables.
"""

import sys
from pathlib import Path

from tests.support.argus_world import World, gone, put


def main(folder: str) -> None:
    world = World(Path(folder))
    print("ready", flush=True)
    for line in sys.stdin:
        number = int(line)
        world._position = number
        world.commit(
            put("ads", id=1, title=str(number)),
            gone("ad_words", 1, number - 1),
            put("ad_words", ad_id=1, word_id=number, position=1),
        )
        print("done", flush=True)
    world.close()


main(sys.argv[1])
