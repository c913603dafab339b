"""How a flows file is spelt: pydantic models of the TOML as people write it, short forms included.

[tables.ads]                      [documents.ad]
source = "ads"                    root = "ads"
key = "id"                        servable = "status = 'ACTIVE'"
columns = { id = "int", ... }     copy = ["*", "ad_group.campaign.name"]       (field campaign: ad_group_campaign_name)
references = { ... }              [documents.ad.fields]
collections = { ... }             title = "title"                              (short for { from = "title" })

[signals.performance]
fetch = "http://127.0.0.1:8090/performance"
key = "pin_id"
fields = { ctr = "float", ... }
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from proto.flows.locator import KeyPath
from proto.flows.paths import nearest
from proto.flows.problems import Problems
from proto.values import ColumnType

LaneName = Literal["high", "medium", "low"]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_field(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


Names = Annotated[list[str], BeforeValidator(_as_list)]


class _Spelling(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class DerivedSpelling(_Spelling):
    """A column that a handler writes."""

    type: ColumnType
    handler: str
    lane: LaneName | None = None


class TableSpelling(_Spelling):
    """[tables.NAME]. `feed`: its rows come from files and by RPC. Without `source` and `feed` it is a table of the
    application, whose columns handlers write."""

    source: str = ""
    feed: bool = False
    sources: Names = []
    key: Names = []
    lane: LaneName = "high"
    handler: str = ""
    columns: dict[str, ColumnType] = {}
    lanes: dict[str, LaneName] = {}
    sensitive: Names = []
    references: dict[str, str] = {}
    collections: dict[str, str] = {}
    derived: dict[str, DerivedSpelling] = {}


class FieldSpelling(_Spelling):
    """[documents.NAME.fields.FIELD]: `from` a path, or computed by a `handler`."""

    from_: str = Field("", alias="from")
    handler: str = ""
    kind: Literal["control", "content"] = "control"
    owner: str = ""
    critical: bool = False
    fresh_within_s: float | None = Field(None, gt=0)


class DocumentSpelling(_Spelling):
    """[documents.NAME]."""

    root: str
    servable: str = ""
    copy_: Names = Field([], alias="copy")
    fields: dict[str, Annotated[FieldSpelling, BeforeValidator(_as_field)]] = {}


class ShortcutSpelling(_Spelling):
    """[shortcuts.NAME]. topic "": called as the short cut itself."""

    table: str
    columns: Names
    topic: str = ""


class BreakerSpelling(_Spelling):
    """[signals.NAME.breaker]."""

    failures: int = Field(default=5, gt=0)
    open_s: float = Field(default=1.0, gt=0)
    open_s_max: float = Field(default=60.0, gt=0)


class SignalSpelling(_Spelling):
    """[signals.NAME]. absent_max_age_s: max_age_s, if it is not there."""

    fetch: str
    key: str
    fields: dict[str, ColumnType]
    max_age_s: float = Field(gt=0)
    absent_max_age_s: float | None = Field(None, gt=0)
    timeout_ms: float = Field(200.0, gt=0)
    on_failure: Literal["use_last", "omit", "block"] = "use_last"
    batch_keys_max: int = Field(500, gt=0)
    cache_keys_max: int = Field(100_000, ge=10_000)
    value_bytes_max: int = Field(16 << 10, gt=0)
    response_bytes_max: int = Field(4 << 20, gt=0)
    breaker: BreakerSpelling = BreakerSpelling()


class FlowsSpelling(_Spelling):
    """A whole file."""

    tables: dict[str, TableSpelling] = {}
    signals: dict[str, SignalSpelling] = {}
    documents: dict[str, DocumentSpelling] = {}
    shortcuts: dict[str, ShortcutSpelling] = {}


def read_spelling(data: dict[str, Any], problems: Problems) -> FlowsSpelling | None:
    """What tomllib read -> models. Notes everything that is misspelt in `problems`; None when there was something."""
    try:
        return FlowsSpelling.model_validate(data)
    except ValidationError as error:
        for detail in error.errors():
            path: KeyPath = detail["loc"]
            problems.add(path, *_explained(path, detail["type"], detail["input"], dict(detail.get("ctx", {}))))
    return None


_WANTED = {
    "string_type": "text in quotes", "bool_type": "true or false", "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list [ ... ]", "dict_type": "a table { ... }", "model_type": "a table { ... }",
    "model_attributes_type": "a table { ... }", "greater_than": "a number above 0",
}  # fmt: skip


def _explained(path: KeyPath, kind: str, value: Any, context: dict[str, Any]) -> tuple[str, str]:
    """A validation error of pydantic -> (message, hint) for the person who wrote the file."""
    if path and isinstance(path[-1], int):  # an item of a list
        path = path[:-1]
    place, name = ".".join(map(str, path[:-1])), str(path[-1]) if path else ""
    section = f"[{place}]" if place else "the file"
    if kind == "extra_forbidden":
        return f"{section} can't have {name!r}", nearest(name, _keys_of(path[:-1]))
    if kind == "missing":
        return f"{section} needs {name!r}", f"add: {name} = ..."
    if kind == "literal_error":
        allowed = [part.strip(" '") for part in context["expected"].replace(" or ", ",").split(",")]
        what = "type" if "int" in allowed else "lane" if "high" in allowed else "value"
        return f"{section} {name} = {value!r}: unknown {what}", nearest(str(value), allowed)
    wanted = f"at least {context['ge']}" if "ge" in context else _WANTED.get(kind, kind.replace("_", " "))
    return f"{section} {name} = {value!r} is not {wanted}", f"write {wanted}"


def _keys_of(path: KeyPath) -> list[str]:
    """What may stand in the table at `path`."""
    model: type[BaseModel] = FlowsSpelling
    if path[:1] == ("tables",):
        model = DerivedSpelling if path[2:3] == ("derived",) else TableSpelling
    elif path[:1] == ("signals",):
        model = BreakerSpelling if path[2:3] == ("breaker",) else SignalSpelling
    elif path[:1] == ("documents",):
        model = FieldSpelling if path[2:3] == ("fields",) else DocumentSpelling
    elif path[:1] == ("shortcuts",):
        model = ShortcutSpelling
    return [field.alias or name for name, field in model.model_fields.items()]
