"""The sample services as a process of their own, for as long as somebody uses them."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ops.settings import Settings, SignalSettings
from proto.errors import UnavailableError


@contextmanager
def signal_service(seed: int) -> Iterator[str]:
    """Where it listens, as `http://127.0.0.1:PORT`; it ends with the block, or with this process."""
    command = [sys.executable, "-m", "ops.demo.signal_service", "--seed", str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            if not port:
                raise UnavailableError("the signal service of the sample application has not started")
            yield f"http://127.0.0.1:{int(port)}"
        finally:
            process.stdin.close()
            process.terminate()


def asking(settings: Settings, address: str, signals: Iterable[str]) -> Settings:
    """The settings with these signals of the sample application fetched from there."""
    urls = {name: SignalSettings(url=f"{address}/{name}") for name in signals}
    return settings.model_copy(update={"signals": {**urls, **settings.signals}})
