"""Who fetches the signals of an application: its functions, or HTTP services where the settings or the flows say."""

from argus.registry import Application
from argus.signals.http import HttpFetcher
from argus.signals.port import Caller, Fetcher
from argus.signals.threads import ThreadCaller
from ops.wiring.store import Store
from proto.errors import SettingsError
from proto.flows.paths import nearest
from proto.flows.signals import is_url


def signal_caller(store: Store, application: Application) -> Caller:
    """Closed with the store. Raises SettingsError for a setting of a signal that is not there."""
    signals = application.flows.signals
    urls = {name: one.url for name, one in store.settings.signals.items()}
    for name in urls:
        if name not in signals:
            hint = nearest(name, list(signals)) if signals else "the flows file has no signals"
            raise SettingsError(f"signals.{name}.url: there is no signal {name!r}; {hint}")
    fetchers: dict[str, Fetcher] = dict(application.fetchers)
    for name, signal in signals.items():
        if name in urls or is_url(signal.fetch):
            fetchers[name] = _http(store, HttpFetcher(signal, urls.get(name, "")))
    caller = ThreadCaller(signals, fetchers, store.bell.wake)
    store.closing.append(caller.close)
    return caller


def _http(store: Store, fetcher: HttpFetcher) -> HttpFetcher:
    store.closing.append(fetcher.close)
    return fetcher
