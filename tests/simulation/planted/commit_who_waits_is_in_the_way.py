"""A member that must wait is waited for by those after it, too. Off: they overtake it."""

from collections.abc import Sequence

import pytest

from repo.hbase.prepared import Prepared


def plant(patch: pytest.MonkeyPatch) -> None:
    def careless(members: Sequence[Prepared]) -> tuple[list[Prepared], list[Prepared]]:
        touched, checked = set[int](), set[int]()
        free: list[Prepared] = []
        waiting: list[Prepared] = []
        for member in members:
            own, read = set(member.touched), set(member.checked)
            if touched & own or touched & read or checked & own:
                waiting.append(member)
            else:
                free.append(member)
                touched |= own
                checked |= read
        return free, waiting

    patch.setattr("repo.hbase.commit.without_overlap", careless)
