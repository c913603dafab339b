"""One seed: the book shop as processes under edits and acts; then everything has to be as if nothing had happened."""

import shutil
import sqlite3
import time
from pathlib import Path
from random import Random

from tests.chaos.acts import ACTS, UNCAPTURED, resumed
from tests.support.processes import Daemon, adsindex
from tests.system.bookshop.seed import connect, seed
from tests.system.editing import torn_pair
from tests.system.shop_processes import FLOWS, ROLES, check_shop, editing, run_command

ANOTHER_FIELD = ('isbn = "isbn"\n', 'isbn = "isbn"\nlength = "pages"\n')
LAYOUTS: tuple[tuple[tuple[str, ...], ...], ...] = (
    ((),),
    tuple(("--role", role) for role in ROLES),
    tuple(("--role", role) for role in (*ROLES, "argus")),
)


class Play:
    """folder: gets the database, the data folder and what processes said. disk: how strace disturbs system calls of
    the processes; chosen anew for each, by the seed."""

    def __init__(self, number: int, folder: Path, disk: bool = False) -> None:
        self.random, self.folder, self._disk = Random(number), folder, disk
        self.data = folder / "data"
        self.did: list[str] = []
        self.shop: sqlite3.Connection = connect(folder / "shop.db")
        seed(self.shop, Random(1))
        torn_pair(self.shop, 0)
        self._number = number
        self._flows = FLOWS
        self._other_flows = folder / "other.toml"
        self._other_flows.write_text(FLOWS.read_text().replace(*ANOTHER_FIELD))
        self._started = 0
        self._layout = self.random.choice(LAYOUTS)
        self._calm, self._whole = False, True
        self._editor = self._edits()
        order = self.random.sample(range(len(self._layout)), len(self._layout))
        started = {}
        for at in order:
            started[at] = self._start(at)
            time.sleep(self.random.choice((0.0, 0.0, 0.5)))
        self.daemons = [started[at] for at in range(len(self._layout))]

    def run(self, seconds: float) -> None:
        """Raises AssertionError when anything is lost, wrong, torn or out of order afterwards."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self.random.uniform(0.2, 1.2))
            act = self.random.choice(ACTS)
            self._whole &= act not in UNCAPTURED
            self.did.append(act(self, self.random))
            if self._editor.process.poll() is not None:  # it met a column that was away
                self._editor = self._edits()
        self._editor.kill()
        self._calm = True
        resumed(self.data)
        all_again = self.random.random() < 0.5 or self._flows != FLOWS
        self._flows = FLOWS
        for at, daemon in enumerate(self.daemons):
            if all_again or self._disk or daemon.process.poll() is not None:
                self.start_again(at)
        check_shop(self.data, self.shop, self._whole)

    def start_again(self, number: int) -> None:
        """See acts.Stage."""
        self.daemons[number].kill()
        self.daemons[number] = self._start(number)

    def command(self, *arguments: str) -> None:
        """See acts.Stage."""
        adsindex(*arguments, "--data", self.data)

    def change_flows(self) -> None:
        """See acts.Stage."""
        self._flows = self._other_flows if self._flows == FLOWS else FLOWS

    def close(self, keep: bool) -> None:
        """Ends all processes; removes the folder unless it is to be kept."""
        for daemon in (self._editor, *self.daemons):
            daemon.kill()
        self.shop.close()
        if not keep:
            shutil.rmtree(self.folder)

    def _edits(self) -> Daemon:
        rate = self.random.choice((50, 200))
        return editing(self.folder, self._number, rate)

    def _start(self, number: int) -> Daemon:
        arguments = run_command(self.folder, *self._layout[number], flows=self._flows)
        self._started += 1
        disturbed = self._disturbance() if self._disk and not self._calm else []
        self.did.append(f"started {self._layout[number]} {disturbed}")
        return Daemon([*disturbed, *arguments], self.folder / f"run{self._started}.txt")

    def _disturbance(self) -> list[str]:
        """A disk that stalls, is slow, fails or is full now and then. -D: the process has the number that we kill."""
        first, step = self.random.randrange(5, 200), self.random.randrange(3, 60)
        calls, fault = self.random.choice(
            (
                ("fdatasync", f"delay_exit={self.random.choice((20_000, 200_000, 900_000))}"),
                ("pwrite64,fdatasync,pread64", f"delay_enter={self.random.choice((2_000, 30_000))}"),
                ("pwrite64", "error=EIO"),
                ("fdatasync", "error=EIO"),
                ("pwrite64", "error=ENOSPC"),
            )
        )
        inject = f"inject={calls}:{fault}:when={first}+{step}"
        return ["strace", "-D", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e", inject]
