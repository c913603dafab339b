"""What a look into a database found: made by the gateway, read by proto.flows.writer."""

from dataclasses import dataclass

from proto.values import ColumnType


@dataclass(frozen=True, slots=True)
class InspectedColumn:
    """declared: the type as the database declares it ("VARCHAR(80)", "bigint unsigned", "" when there is none)."""

    name: str
    declared: str = ""
    nullable: bool = True

    @property
    def type(self) -> ColumnType:
        """The type in the flows file that fits the declaration; "str" when that tells nothing."""
        words = self.declared.lower()
        if "tinyint(1)" in words:
            return "bool"
        words = words.split("(")[0]  # enum('print', 'digital') is not an int
        return next((kind for part, kind in _TYPES if part in words), "str")


@dataclass(frozen=True, slots=True)
class InspectedForeignKey:
    """`columns` of this table hold `parent_columns` of `parent`, in that order; () stands for the parent's primary
    key."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectedTable:
    """One table. key: columns of the primary key in order, () when there is none; unique: other unique keys."""

    name: str
    columns: tuple[InspectedColumn, ...]
    key: tuple[str, ...] = ()
    foreign_keys: tuple[InspectedForeignKey, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()


_TYPES: tuple[tuple[str, ColumnType], ...] = (
    ("interval", "str"), ("point", "str"),  # they contain "int"
    ("bool", "bool"), ("json", "json"),
    ("datetime", "datetime"), ("timestamp", "datetime"), ("date", "date"), ("time", "str"),
    ("decimal", "decimal"), ("numeric", "decimal"), ("money", "decimal"), ("number", "decimal"),
    ("int", "int"), ("serial", "int"), ("float", "float"), ("double", "float"), ("real", "float"),
    ("blob", "bytes"), ("binary", "bytes"), ("bytea", "bytes"),
)  # fmt: skip
"""The first whose text occurs in the declared type."""
