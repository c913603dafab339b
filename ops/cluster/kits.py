"""The kits that `adsindex cluster` knows; a further one (a broker, a database) is a module and a line here."""

from collections.abc import Sequence

from ops.cluster.hbase import HBASE
from ops.cluster.kit import Kit
from proto.errors import SettingsError

KITS = (HBASE,)


def chosen(names: Sequence[str]) -> tuple[Kit, ...]:
    """Those of these names; all without names. Raises SettingsError for a name that there is not."""
    known = {kit.name: kit for kit in KITS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SettingsError(f"--only {unknown[0]}: there is {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names)) or KITS
