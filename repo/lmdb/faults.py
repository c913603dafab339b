"""What LMDB's errors mean to us: each becomes an error of proto.errors whose text says what to do."""

from pathlib import Path

import lmdb

from proto.errors import AdsIndexError, CorruptionError, InvalidMessageError, UnavailableError

_CORRUPT = (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError, lmdb.VersionMismatchError)


def translated(error: lmdb.Error, folder: Path) -> AdsIndexError:
    """The error to raise in place of `error`, which happened on the environment in `folder`."""
    if isinstance(error, _CORRUPT):
        return CorruptionError(
            f"the data in {folder} is damaged ({error}); "
            f"`adsindex rebuild --data {folder}` makes it again from the sources"
        )
    if isinstance(error, lmdb.BadValsizeError):
        return InvalidMessageError(f"a key is empty or longer than 511 bytes ({error})")
    if isinstance(error, lmdb.MapFullError):
        return UnavailableError(f"the data in {folder} has reached the map size; nothing was written ({error})")
    if isinstance(error, lmdb.ReadersFullError):
        return UnavailableError(
            f"too many readers have {folder} open; stop some, or wait for the check of dead readers ({error})"
        )
    return UnavailableError(
        f"the disk that holds {folder} is full or failing; nothing of this commit was kept. Free some space ({error})"
    )
