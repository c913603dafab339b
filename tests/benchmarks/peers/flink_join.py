"""The job's phase a in Flink SQL: `python flink_join.py ads.db`; prints one JSON object.

A streaming job over files, which is how Flink joins in bulk: rows are written as JSON lines, joined by three left
joins, and thrown away by a black hole. Flink has no way to hand over one edit and see its document: its sinks take
effect with checkpoints, seconds apart.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from pyflink.table import EnvironmentSettings, TableEnvironment
from rows import COLUMNS, PARENTS, document_columns, rows

TYPES = {int: "BIGINT", float: "DOUBLE", str: "STRING"}


def main(database: str) -> None:
    with tempfile.TemporaryDirectory(prefix="flink-") as folder:
        count = write(database, Path(folder))
        began = time.perf_counter()
        environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
        environment.get_config().set("parallelism.default", "2")
        for table, columns in COLUMNS.items():
            environment.execute_sql(
                f"CREATE TABLE {table} ({declared(columns)}) WITH ('connector' = 'filesystem',"
                f" 'path' = 'file://{folder}/{table}', 'format' = 'json')"
            )
        kinds = {field: COLUMNS[table][name] for field, (table, name) in document_columns().items()}
        environment.execute_sql(f"CREATE TABLE documents ({declared(kinds)}) WITH ('connector' = 'blackhole')")
        submitted = time.perf_counter()
        environment.execute_sql(f"INSERT INTO documents {query()}").wait()
        ended = time.perf_counter()
    figures = {
        "fields": len(kinds),
        "documents": count,
        "load_docs_per_s": round(count / (ended - submitted)),
        "with_start_docs_per_s": round(count / (ended - began)),
    }
    print(json.dumps(figures))


def write(database: str, folder: Path) -> int:
    """Rows as JSON lines; returns how many ads there are."""
    count = 0
    for table in COLUMNS:
        (folder / table).mkdir()
        with (folder / table / "rows.json").open("w") as out:
            for row in rows(database, table):
                count += table == "ads"
                out.write(json.dumps(row) + "\n")
    return count


def declared(columns: dict[str, type]) -> str:
    return ", ".join(f"`{name}` {TYPES[kind]}" for name, kind in columns.items())


def query() -> str:
    fields = ", ".join(f"{table}.`{name}` AS `{field}`" for field, (table, name) in document_columns().items())
    joins, child = "ads", "ads"
    for parent, reference in PARENTS.items():
        joins += f" LEFT JOIN {parent} ON {child}.{reference} = {parent}.id"
        child = parent
    return f"SELECT {fields} FROM {joins}"


if __name__ == "__main__":
    main(sys.argv[1])
