"""The independent check of the sample application: every ad's document, joined by SQL straight from the source."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from typing import Any

from ops.demo.compare import Document, Mismatch, compare_documents
from ops.demo.printed import converters
from ops.demo.recomputed import recomputed
from ops.demo.signal_values import Says, says

_KEYWORDS = """
    SELECT ak.ad_id, k.name, ak.keyword_id, ak.match_type, k.search_volume
    FROM ad_keywords ak LEFT JOIN keywords k ON k.id = ak.keyword_id ORDER BY ak.ad_id, ak.position, ak.id"""
SEED_1 = says(1)
"""What the signal service of the demo says unless it is told otherwise."""

_KEYS = {"image": "pin_id", "interests": "pin_id", "annotation": "creative_id", "performance": "pin_id"}
_COPIES = {
    "pin_image_signature": ("image", "signature"),
    "pin_image_hue": ("image", "hue"),
    "pin_unsafe_score": ("image", "unsafe_score"),
    "pin_interests": ("interests", "names"),
    "pin_interest_scores": ("interests", "scores"),
    "text_language": ("annotation", "language"),
    "text_topics": ("annotation", "topics"),
    "text_sentiment": ("annotation", "sentiment"),
    "historical_ctr": ("performance", "ctr"),
    "historical_impressions": ("performance", "impressions"),
    "historical_measured_on": ("performance", "measured_on"),
}
"""Field of the document -> (signal, its field)."""
_GEOS = """
    SELECT targeting_spec_id, country, region, is_excluded
    FROM targeting_geos ORDER BY targeting_spec_id, country, region"""
_INTERESTS = """
    SELECT ti.targeting_spec_id, i.name, ti.weight
    FROM targeting_interests ti LEFT JOIN interests i ON i.id = ti.interest_id
    ORDER BY ti.targeting_spec_id, ti.interest_id"""


def expected_documents(
    connection: sqlite3.Connection, said: Says = SEED_1, ads: Collection[int] | None = None
) -> Iterator[Document]:
    """Every ad's document (or of these ads, those that are there) in order of id, in the command line's JSON form, from
    one read transaction."""
    for row in joined_rows(connection, said, ads):
        fields = {name: value for name, value in row.items() if not name.startswith("_")}
        yield Document(row["id"], fields, bool(row["_servable"]))


def joined_rows(
    connection: sqlite3.Connection, said: Says = SEED_1, ads: Collection[int] | None = None
) -> Iterator[dict[str, Any]]:
    """Every ad's fields (or of these ads), and beside them (`_geos`, `_width`, ...) what they were computed from."""
    connection.execute("BEGIN")
    try:
        keywords, geos, interests = (_children(connection, query) for query in (_KEYWORDS, _GEOS, _INTERESTS))
        query = resources.files("ops.demo").joinpath("expected.sql").read_text(encoding="utf-8")
        if ads is not None:
            query = query.replace("ORDER BY a.id", f"WHERE a.id IN ({', '.join(map(str, ads))}) ORDER BY a.id")
        cursor = connection.execute(query)
        columns = converters(cursor.description)
        for values in cursor:
            row = {
                name: value if convert is None or value is None else convert(value)
                for (name, convert), value in zip(columns, values, strict=True)
            }
            row |= _lists(keywords.get(row["id"], []), interests.get(row["targeting_spec_id"], []))
            row["_geos"] = geos.get(row["targeting_spec_id"], [])
            row["targeting_regions"] = [region for _, region, _ in row["_geos"]]
            row |= _signals(row, said)
            yield row | recomputed(row)
    finally:
        connection.execute("ROLLBACK")


def check(connection: sqlite3.Connection, actual: Mapping[Any, Document], said: Says = SEED_1) -> Iterator[Mismatch]:
    """Every difference between the source with what signals said, and the documents; nothing when all is well."""
    return compare_documents(expected_documents(connection, said), actual)


def _signals(row: Mapping[str, Any], said: Says) -> dict[str, Any]:
    """Fields that are copies of signals, and `_performance`, of which more is used."""
    about: dict[str, Mapping[str, Any]] = {}
    for signal, key in _KEYS.items():
        known = said(signal, row[key]) if row[key] is not None else None
        about[signal] = {} if known is None else known.values
    fields = {field: about[signal].get(name) for field, (signal, name) in _COPIES.items()}
    return {**fields, "_performance": about["performance"]}


def _children(connection: sqlite3.Connection, query: str) -> dict[int, list[tuple[Any, ...]]]:
    grouped: dict[int, list[tuple[Any, ...]]] = {}
    for parent, *values in connection.execute(query):
        grouped.setdefault(parent, []).append(tuple(values))
    return grouped


def _lists(keywords: list[tuple[Any, ...]], interests: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {
        "keywords": [name for name, _, _, _ in keywords],
        "keyword_ids": [keyword for _, keyword, _, _ in keywords],
        "keyword_match_types": [kind for _, _, kind, _ in keywords],
        "keyword_volumes": [volume for _, _, _, volume in keywords],
        "targeting_interests": [name for name, _ in interests],
        "targeting_interest_weights": [weight for _, weight in interests],
    }
