"""All that an operator may tune, by folder: defaults, DIR/adsindex.toml, the environment, the command line.

The last of these that names a setting wins. A setting's unit is the end of its name.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from gateway.settings import GatewaySettings
from ops.engine.settings import EngineSettings
from proto.errors import SettingsError
from proto.flows.paths import nearest
from repo.hbase.settings import HbaseSettings
from repo.oracle.settings import OracleSettings

SETTINGS_FILE = "adsindex.toml"
_PREFIX, _DELIMITER = "ADSINDEX_", "__"


class ArgusSettings(BaseModel):
    """Dispatch and builds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_documents_max: int = Field(default=512, gt=0, description="documents that one transaction builds at most")
    function_ms_max: float = Field(
        default=5000.0, ge=0, description="a function of a field, or a handler, that runs longer is ended; 0: none is"
    )


class RetentionSettings(BaseModel):
    """What is kept, and how long; what is older is removed in small steps while the engine runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    versions_h: float = Field(default=24.0, gt=0, description="old versions of rows and documents (time travel)")
    documents_messages: int = Field(default=1_000_000, gt=0, description="newest messages of the documents topic")
    shortcut_messages: int = Field(default=100_000, gt=0, description="newest messages of each short cut's topic")
    log_messages: int = Field(default=10_000, gt=0, description="newest processed messages of each other topic")


class StaleSettings(BaseModel):
    """Dropping what waits too long (ops/stale). Ages: None is off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    high_after_s: float | None = Field(default=None, gt=0, description="High lane: drop what has waited longer")
    medium_after_s: float | None = Field(default=None, gt=0, description="Medium lane: the same")
    low_after_s: float | None = Field(default=None, gt=0, description="Low lane: the same")
    stages: tuple[Literal["updater", "argus"], ...] = Field(
        default=("argus",), description="where: argus (documents), updater (rows; costs more to heal)"
    )
    share_max: float = Field(
        default=0.5, gt=0, lt=1, description="of a lane's messages that may be dropped within window_s without a person"
    )
    window_s: float = Field(default=600.0, gt=0, description="see share_max")
    heal_when_idle: bool = Field(default=True, description="heal what was dropped when no lane is behind any more")
    heal_idle_s: float = Field(default=10.0, ge=0, description="for so long before that")


class SourceSettings(BaseModel):
    """A database to capture from. url: what SQLAlchemy takes; a secret, because it may hold a password."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr = Field(description="e.g. sqlite:////srv/shop.db")


class SignalSettings(BaseModel):
    """Where a signal is fetched here. What it means stands in the flows file, which is the same everywhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="HTTP, in place of what the flows file says")


class Settings(BaseSettings):
    """Everything. Build it with `load_settings` only."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=_PREFIX, env_nested_delimiter=_DELIMITER, validate_default=True
    )

    sources: dict[str, SourceSettings] = Field(default={}, description="by name; `run --source` adds to them")
    signals: dict[str, SignalSettings] = Field(default={}, description="by name")
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    argus: ArgusSettings = Field(default_factory=ArgusSettings)
    engine: EngineSettings = Field(default_factory=EngineSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    stale: StaleSettings = Field(default_factory=StaleSettings)
    hbase: HbaseSettings = Field(default_factory=HbaseSettings)
    oracle: OracleSettings = Field(default_factory=OracleSettings)


class EffectiveSetting(NamedTuple):
    """A value is masked when it is a secret. unit: "" for none.

    origin: "default", "file", "environment", "command line"
    """

    name: str
    value: Any
    unit: str
    origin: str
    description: str


class LoadedSettings(NamedTuple):
    """effective: every setting with where it comes from, in the order of the models."""

    settings: Settings
    effective: tuple[EffectiveSetting, ...]


def load_settings(
    folder: Path, environment: Mapping[str, str], overrides: Mapping[str, str] | None = None
) -> LoadedSettings:
    """overrides: from the command line, dotted name -> text. Raises SettingsError that names setting and origin."""
    origins = {
        "command line": _nested(overrides or {}),
        "environment": _from_environment(environment),
        "file": _from_file(folder / SETTINGS_FILE),
    }
    merged: dict[str, Any] = {}
    for values in reversed(origins.values()):
        _merge(merged, values)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(_explained(error, origins, folder)) from None
    return LoadedSettings(settings, tuple(_effective(settings, origins)))


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """ADSINDEX_GATEWAY__TRIM_ROWS -> gateway.trim_rows; names that are no settings (ADSINDEX_DATA) are left alone."""
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in environment.items()}
    return source()


def _nested(overrides: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in overrides.items():
        inner = values
        *front, last = name.split(".")
        for part in front:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return values


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = dict(value) if isinstance(value, Mapping) else value


def _explained(error: ValidationError, origins: Mapping[str, Mapping[str, Any]], folder: Path) -> str:
    lines = []
    for problem in error.errors():
        path = tuple(str(part) for part in problem["loc"])
        origin = next((origin for origin, values in origins.items() if _holds(values, path)), "default")
        place = {"file": str(folder / SETTINGS_FILE), "environment": _PREFIX + _DELIMITER.join(path).upper()}
        what = problem["msg"]
        if problem["type"] == "extra_forbidden":
            what = f"there is no such setting; {nearest(path[-1], _names_beside(path))}"
        lines.append(f"{place.get(origin, origin)}: {'.'.join(path)}: {what}")
    return "\n".join(lines)


def _names_beside(path: tuple[str, ...]) -> list[str]:
    model: Any = Settings
    for part in path[:-1]:
        model = model.model_fields[part].annotation if hasattr(model, "model_fields") else get_args(model)[1]
    return list(model.model_fields)


def _effective(settings: Settings, origins: Mapping[str, Mapping[str, Any]]) -> Iterator[EffectiveSetting]:
    for path, value, description in _leaves(settings, ()):
        origin = next((origin for origin, values in origins.items() if _holds(values, path)), "default")
        yield EffectiveSetting(".".join(path), value, _unit(path[-1]), origin, description)


def _leaves(model: BaseModel, front: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, (*front, name))
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from _leaves(item, (*front, name, key))
        else:
            yield (*front, name), str(value) if isinstance(value, SecretStr) else value, field.description or ""


def _holds(values: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


_UNITS = {
    "ms": "ms", "s": "s", "h": "h", "rows": "rows", "bytes": "bytes", "documents": "documents", "attempts": "attempts",
    "messages": "messages",
    "items": "messages",
}  # fmt: skip


def _unit(name: str) -> str:
    """The last word of a name that is a unit: read_ms_target -> ms."""
    return next((_UNITS[word] for word in reversed(name.split("_")) if word in _UNITS), "")
