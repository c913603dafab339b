"""How a flows file is spelt: pydantic models of the TOML as people write it, short forms included.

[tables.ads]                      [documents.ad]
source = "ads"                    root = "ads"
key = "id"                        servable = "status = 'ACTIVE'"
columns = { id = "int", ... }     copy = ["*", "ad_group.campaign.name"]       (field campaign: ad_group_campaign_name)
references = { ... }              [documents.ad.fields]
collections = { ... }             title = "title"                              (short for { from = "title" })
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


class FlowsSpelling(_Spelling):
    """A whole file."""

    tables: dict[str, TableSpelling] = {}
    documents: dict[str, DocumentSpelling] = {}
    shortcuts: dict[str, ShortcutSpelling] = {}


def read_spelling(data: dict[str, Any], problems: Problems) -> FlowsSpelling | None:
    """What tomllib read -> models. Notes everything that is misspelt in `problems`; None when there was something."""
    if "signals" in data:
        hint = "remove the [signals.*] sections; compute the field in a handler meanwhile"
        problems.add(("signals",), "[signals.*] are not supported by this version of adsindex", hint)
    known = {name: value for name, value in data.items() if name != "signals"}
    try:
        return FlowsSpelling.model_validate(known)
    except ValidationError as error:
        for detail in error.errors():
            path: KeyPath = detail["loc"]
            problems.add(path, *_explained(path, detail["type"], detail["input"], dict(detail.get("ctx", {}))))
    return None


_WANTED = {
    "string_type": "text in quotes", "bool_type": "true or false", "float_type": "a number",
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
    wanted = _WANTED.get(kind, kind.replace("_", " "))
    return f"{section} {name} = {value!r} is not {wanted}", f"write {wanted}"


def _keys_of(path: KeyPath) -> list[str]:
    """What may stand in the table at `path`."""
    model: type[BaseModel] = FlowsSpelling
    if path[:1] == ("tables",):
        model = DerivedSpelling if path[2:3] == ("derived",) else TableSpelling
    elif path[:1] == ("documents",):
        model = FieldSpelling if path[2:3] == ("fields",) else DocumentSpelling
    elif path[:1] == ("shortcuts",):
        model = ShortcutSpelling
    return [field.alias or name for name, field in model.model_fields.items()]
