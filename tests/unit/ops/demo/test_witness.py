"""Which version of a document is the first that shows an edit."""

from typing import NamedTuple

from ops.demo.editor import Edit
from ops.demo.witness import UNIT_MS_MAX, first_with, latencies_ms


class Version(NamedTuple):
    id: int
    commit_ms: float
    servable_ms: float


def edit(number: int, began_ms: float) -> Edit:
    return Edit(number, "ad_bid", began_ms, began_ms + 1.0, [7])


BUILT = Version(7, 0.0, 50.0)
LATER = 100.0 + 2 * UNIT_MS_MAX


def test_the_version_of_its_own_change() -> None:
    own = Version(7, 100.0, 104.0)
    assert first_with([BUILT, own, Version(7, 200.0, 203.0)], edit(1, 100.0)) == own
    assert latencies_ms([BUILT, own], [edit(1, 100.0)]) == [(edit(1, 100.0), 3.0)]


def test_a_rebuild_between_two_edits_does_not_hide_the_second() -> None:
    own, rebuilt, second = Version(7, 100.0, 104.0), Version(7, 0.0, 150.0), Version(7, 200.0, 203.0)
    assert first_with([BUILT, own, rebuilt, second], edit(1, 100.0)) == own
    assert first_with([BUILT, own, rebuilt, second], edit(2, 200.0)) == second


def test_an_edit_that_the_build_of_the_change_before_has_found_already() -> None:
    absorbing, much_later = Version(7, 90.0, 112.0), Version(7, LATER, LATER + 3.0)
    assert first_with([BUILT, absorbing, much_later], edit(1, 100.0)) == absorbing
    assert first_with([BUILT, absorbing], edit(1, 100.0)) == absorbing


def test_an_edit_that_is_late_is_late() -> None:
    late = Version(7, 100.0, LATER)
    assert first_with([BUILT, Version(7, 90.0, 112.0), late], edit(1, 100.0)) == late
    assert first_with([BUILT, Version(7, LATER, LATER + 3.0)], edit(1, 100.0)) == Version(7, LATER, LATER + 3.0)


def test_an_edit_that_nothing_shows() -> None:
    assert first_with([BUILT], edit(1, 100.0)) is None
    assert latencies_ms([BUILT], [edit(1, 100.0)]) == []
