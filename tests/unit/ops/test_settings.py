"""Settings: where each value comes from, what is wrong with one, secrets."""

from pathlib import Path

import pytest

from ops.settings import EffectiveSetting, load_settings
from proto.errors import SettingsError


def effective(loaded: tuple[EffectiveSetting, ...], name: str) -> EffectiveSetting:
    return next(setting for setting in loaded if setting.name == name)


def test_the_command_line_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / "adsindex.toml").write_text("[gateway]\ntrim_rows = 1\nunit_rows_max = 1\nread_rows_max = 1\n")
    environment = {"ADSINDEX_GATEWAY__TRIM_ROWS": "2", "ADSINDEX_GATEWAY__UNIT_ROWS_MAX": "2", "ADSINDEX_DATA": "x"}
    settings, found = load_settings(tmp_path, environment, {"gateway.trim_rows": "3"})
    assert (settings.gateway.trim_rows, settings.gateway.unit_rows_max, settings.gateway.read_rows_max) == (3, 2, 1)
    names = ("gateway.trim_rows", "gateway.unit_rows_max", "gateway.read_rows_max", "gateway.trim_batch_rows")
    origins = [effective(found, name).origin for name in names]
    assert origins == ["command line", "environment", "file", "default"]


def test_every_setting_is_described_and_a_number_with_a_unit_says_it(tmp_path: Path) -> None:
    _, found = load_settings(tmp_path, {})
    assert all(setting.description for setting in found)
    assert effective(found, "gateway.read_ms_target").unit == "ms"
    assert effective(found, "retention.versions_h").unit == "h"


def test_secrets_are_masked(tmp_path: Path) -> None:
    (tmp_path / "adsindex.toml").write_text('[sources.shop]\nurl = "sqlite:///x?password=geheim"\n')
    settings, found = load_settings(tmp_path, {})
    assert "geheim" not in str(found) + str(settings)
    assert settings.sources["shop"].url.get_secret_value() == "sqlite:///x?password=geheim"


@pytest.mark.parametrize(
    ("file", "environment", "overrides", "text"),
    [
        ("[gateway]\ntrim_row = 1", {}, {}, "gateway.trim_row: there is no such setting; did you mean 'trim_rows'"),
        ("[gatway]\ntrim_rows = 1\n", {}, {}, "gatway: there is no such setting; did you mean 'gateway'?"),
        ("", {"ADSINDEX_ENGINE__ATTEMPTS_MAX": "many"}, {}, "ADSINDEX_ENGINE__ATTEMPTS_MAX: engine.attempts_max: "),
        ("", {}, {"retention.versions_h": "-1"}, "command line: retention.versions_h: "),
        ("[oracle]\ntransaction_age_s_max = 1200\n", {}, {}, "oracle.transaction_age_s_max: "),
        ("[hbase]\nprefix = 'my/shop'\n", {}, {}, "hbase.prefix: "),
        ("[gateway", {}, {}, "adsindex.toml: "),
        ("[sources.shop]\nurk = 1\n", {}, {}, "did you mean 'url'?"),
    ],
)  # fmt: skip
def test_a_wrong_setting_names_itself_and_its_origin(
    tmp_path: Path, file: str, environment: dict[str, str], overrides: dict[str, str], text: str
) -> None:
    (tmp_path / "adsindex.toml").write_text(file)
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path, environment, overrides)
    assert text in str(caught.value)
