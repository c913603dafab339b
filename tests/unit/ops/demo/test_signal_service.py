"""The signal service of the demo, as a process: what it says, and that it ends with whoever started it."""

from collections.abc import Iterator

import httpx
import pytest

from argus.signals.http import HttpFetcher
from ops.demo.sample import FLOWS
from ops.demo.signal_process import asking, signal_service
from ops.demo.signal_values import SIGNALS, says
from ops.settings import Settings, SignalSettings
from proto.flows.loader import load


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with signal_service(3) as address:
        yield address


@pytest.mark.parametrize("name", SIGNALS)
def test_it_says_what_the_check_expects_in_the_form_that_is_fetched(name: str, address: str) -> None:
    said, keys = says(3), list(range(1, 60))
    fetcher = HttpFetcher(load(FLOWS).signals[name], f"{address}/{name}")
    found = fetcher(keys)
    fetcher.close()
    assert set(found) == set(keys) and None in found.values()
    for key, reading in found.items():
        expected = said(name, key)
        assert (reading and (reading.version, reading.values)) == (expected and (expected.version, expected.values))


def test_what_it_does_not_know_or_understand_it_refuses(address: str) -> None:
    assert httpx.post(f"{address}/prices", json={"keys": [1]}, trust_env=False).status_code == 404
    assert httpx.post(f"{address}/image", json={"key": 1}, trust_env=False).status_code == 400


def test_it_is_gone_with_the_block() -> None:
    with signal_service(1) as address:
        assert httpx.post(f"{address}/image", json={"keys": [1]}, trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{address}/image", json={"keys": [1]}, trust_env=False)


def test_settings_of_a_user_win() -> None:
    settings = Settings(signals={"image": SignalSettings(url="http://elsewhere/")})
    asked = asking(settings, "http://here", SIGNALS).signals
    assert (asked["image"].url, asked["performance"].url) == ("http://elsewhere/", "http://here/performance")
