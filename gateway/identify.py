"""Who the source is: first attachment, the same as ever, a new incarnation on purpose, or somebody else."""

from gateway.capture.port import Capture, Identity
from gateway.capture.stopped import stopped
from gateway.progress import Progress
from proto.errors import SettingsError


def identify(source: str, capture: Capture, known: Progress | None) -> Progress:
    """The progress to go on with. Raises SettingsError when the source is not the one that was captured so far."""
    identity = capture.identity()
    if known is None:
        identity = identity or capture.attach()
    elif identity is None:
        raise SettingsError(stopped(repr(source), "it is not attached any more (detached, or another file)"))
    elif identity.name != known.identity and identity.replaces != known.identity:
        raise SettingsError(stopped(repr(source), "another database has taken its place"))
    progress = known
    if progress is None or identity.name != progress.identity:
        progress = _begun(identity, progress)
        newest = capture.newest()
        progress.position, progress.at_ms = newest.position, newest.at_ms
    capture.check(progress.mark, progress.identity)
    return progress


def attach(source: str, capture: Capture, known: Progress | None, new_incarnation: bool = False) -> Identity:
    """`adsindex source attach`: makes the change log; the gateway installs the triggers when it starts.

    new_incarnation: takes the database as it is now, in the place of the one that was captured so far. known: what
    `ProgressLog.load` says. Raises SettingsError when it is another database and new_incarnation is not given.
    """
    if known is None or not new_incarnation:
        identity = capture.attach() if known is None else capture.identity()
        if identity is None or (known is not None and known.identity not in (identity.name, identity.replaces)):
            raise SettingsError(stopped(repr(source), "it is not the database that was captured so far"))
        if known is not None and known.identity == identity.name:
            capture.check(known.mark, identity.name)  # a backup has the same name
        return identity
    return capture.attach(Identity(known.identity, known.incarnation))


def fed_elsewhere(source: str, folder: str) -> str:
    """What a person reads of a source that feeds another data folder; folder: that one."""
    return (
        f"source {source!r} feeds the data folder {folder} already, and its change log is removed behind one reader "
        "only. Index a copy of the database; or, if nothing reads into that folder any more, remove or rename it"
    )


def _begun(identity: Identity, before: Progress | None) -> Progress:
    """Another history: positions begin again; what is bootstrapped is compared, the rest is still to be read."""
    begun = Progress(identity.name, identity.incarnation)
    for name, table in (before.tables if before else {}).items():
        table.signature = "of another incarnation"
        begun.tables[name] = table
    return begun
