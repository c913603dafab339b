"""Traces: the time of each stage, and quantiles by lane, table and stage."""

from typing import Any

from ui.traces import TIMES, CausingRow, Trace, spreads


def trace(change: int = 1, *times: float | None, **fields: Any) -> Trace:
    given: dict[str, Any] = {"kind": "edit", "lane": "high", **fields}
    return Trace(
        type="ad", id=1, source="main", sequence=9, change=change, at_ms=dict(zip(TIMES, times, strict=False)), **given
    )


def test_each_stage_leads_from_one_time_to_the_next() -> None:
    one = trace(1, 100.0, 102.0, 102.5, 105.5, 106.0, 108.0)
    assert one.stages_ms() == {"capture": 2.0, "apply": 0.5, "build": 3.0, "publish": 0.5, "serve": 2.0}
    assert one.total_ms() == 8.0


def test_a_time_that_is_not_known_leaves_its_stages_out() -> None:
    one = trace(1, 100.0, None, 102.5, 105.5)
    assert one.stages_ms() == {"capture": None, "apply": None, "build": 3.0, "publish": None, "serve": None}
    assert one.total_ms() is None


def test_the_trigger_that_was_late_does_not_make_a_stage_negative() -> None:
    assert trace(1, 103.0, 102.0).stages_ms()["capture"] == 0.0


def test_an_edit_takes_as_long_as_its_last_document_and_backfills_do_not_count() -> None:
    rows = [CausingRow(table="campaigns", id=1)]
    found = spreads(
        [
            trace(1, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, rows=rows),
            trace(1, 0.0, 1.0, 2.0, 3.0, 4.0, 9.0, rows=rows),
            trace(2, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, rows=[CausingRow(table="ads", id=1)], lane="medium"),
            trace(3, None, 1.0, 2.0, 3.0, 4.0, 500.0, kind="backfill"),
        ]
    )
    shown = {(one.by, one.name): (one.samples, one.quantiles["max"]) for one in found}
    assert shown[("edit", "")] == (2, 9.0)
    assert (shown[("lane", "high")], shown[("lane", "medium")]) == ((2, 9.0), (1, 6.0))
    assert (shown[("table", "campaigns")], shown[("table", "ads")]) == ((2, 9.0), (1, 6.0))
    assert shown[("stage", "serve")] == (3, 5.0)


def test_nothing_has_no_quantiles() -> None:
    assert spreads([]) == []
