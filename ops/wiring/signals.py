"""Who fetches the signals of an application: its functions, or HTTP services where the settings or the flows say; and
how they are doing."""

from msgspec import to_builtins

from argus.registry import Application
from argus.signals.http import HttpFetcher
from argus.signals.port import Caller, Fetcher
from argus.signals.pull import Pull
from argus.signals.pulls import Pulls
from argus.signals.threads import ThreadCaller
from ops.engine.status import SignalStatus
from ops.wiring.store import Store
from proto.errors import SettingsError
from proto.flows.paths import nearest
from proto.flows.signals import is_url
from proto.ports.clock import Clock


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


def signal_statuses(pulls: Pulls, clock: Clock) -> list[SignalStatus]:
    """For the status file."""
    return [_status(pull, clock) for pull in pulls.by_name.values()]


def _status(pull: Pull, clock: Clock) -> SignalStatus:
    """Entries stand in the order in which they were asked for."""
    breaker, entries = pull.breaker, pull.cache.entries
    left_ms = breaker.until_ms - clock.monotonic_ms()
    return SignalStatus(
        name=pull.signal.name,
        breaker=breaker.state,
        open_until_ms=round(clock.now_ms() + left_ms, -2) if breaker.state == "open" else 0.0,
        cached=len(entries),
        oldest_ms=next(iter(entries.values())).reading.fetched_ms if entries else 0.0,
        newest_ms=next(reversed(entries.values())).reading.fetched_ms if entries else 0.0,
        waiting=pull.waiting.documents,
        **to_builtins(pull.counts),
    )
