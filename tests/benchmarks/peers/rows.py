"""The rows that the peers join, read from the sample database, and the columns that make a document.

Four tables and every column of theirs that is copied as it is: what SQL can say. Run by the peers' own Pythons, so it
imports nothing of ours.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PARENTS = {"ad_groups": "ad_group_id", "campaigns": "campaign_id", "advertisers": "advertiser_id"}
"""Table -> the column that leads to it, from the table before it; the first is `ads`."""

COLUMNS = {
    "ads": {
        "id": int, "ad_group_id": int, "creative_id": int, "pin_id": int, "title": str, "description": str,
        "status": str, "review_status": str, "bid_micros": int, "bid_multiplier": str, "call_to_action": str,
        "is_sponsored": int, "tracking": str, "quality_score": float, "image_signature": str, "updated_at": str,
    },
    "ad_groups": {
        "id": int, "campaign_id": int, "targeting_spec_id": int, "name": str, "status": str, "bid_micros": int,
        "objective_bids": str, "optimization_goal": str, "placement": str, "starts_at": str, "ends_at": str,
    },
    "campaigns": {
        "id": int, "advertiser_id": int, "budget_id": int, "name": str, "objective": str, "status": str,
        "bid_strategy": str, "daily_budget_micros": int, "lifetime_budget_micros": int, "frequency_cap": int,
        "target_cost": float, "starts_on": str, "ends_on": str, "labels": str, "created_at": str,
    },
    "advertisers": {
        "id": int, "name": str, "country": str, "timezone": str, "industry": str, "tier": int, "status": str,
        "is_verified": int, "credit_limit": str, "settings": str, "joined_on": str,
    },
}  # fmt: skip


def document_columns() -> dict[str, tuple[str, str]]:
    """Field -> (table, column): all but the parents' own ids, which the columns that lead to them hold."""
    found = {name: ("ads", name) for name in COLUMNS["ads"]}
    for table in PARENTS:
        prefix = table.removesuffix("s")
        found |= {
            name if name.endswith("_id") else f"{prefix}_{name}": (table, name)
            for name in COLUMNS[table]
            if name != "id"
        }
    return found


def rows(database: str, table: str) -> Iterator[dict[str, Any]]:
    """All of a table; text where the type is text, whatever SQLite keeps."""
    chosen = ", ".join(f"CAST({name} AS TEXT)" if kind is str else name for name, kind in COLUMNS[table].items())
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        for values in connection.execute(f"SELECT {chosen} FROM {table} ORDER BY id"):
            yield {
                name: float(value) if kind is float and value is not None else value
                for (name, kind), value in zip(COLUMNS[table].items(), values, strict=True)
            }
    finally:
        connection.close()


def edits(file: str) -> dict[str, Any]:
    """burst, trickle: pairs of an ad's id and its new bid; rate: edits a second of the trickle."""
    read: dict[str, Any] = json.loads(Path(file).read_text())
    return read


def quantiles(values: list[float]) -> dict[str, float]:
    """p50, p99, max."""
    ordered = sorted(values)
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {name: round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 3) for name, share in at.items()}
