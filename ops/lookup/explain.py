"""Why is this document (not) served? The answer for the command line, the service and the pages."""

from ops.addresses import Address, document_address
from ops.installation import load_installation
from ops.lookup.facts import collect
from ops.opened import DataFolder
from proto.errors import SettingsError
from repo.system import CONTENT, document_table
from ui.why import answer
from ui.why.finding import Why

_LOOKS_MAX = 4


def explain(folder: DataFolder, document_type: str, key: bytes, as_of: int | None = None) -> Why:
    """key: encoded. as_of: a timestamp; None: now. Raises TooOldError for a time that is not kept.

    What is looked at one after the other must belong together: when something was committed meanwhile it looks again,
    a few times.
    """
    for _ in range(_LOOKS_MAX):
        before = folder.log.last_commit()
        found = answer.explain(collect(folder, document_type, key, as_of))
        if as_of is not None or folder.log.last_commit() == before:
            break
    return found


def find_document(folder: DataFolder, text: str) -> Address:
    """`[TYPE/]ID`; of several sources the only one that has it. Raises SettingsError that says what to write."""
    sources = folder.sources() or list(load_installation(folder.path).sources)
    document, slash, rest = text.partition("/")
    front = f"{document}/" if slash and document in folder.flows.documents else ""
    given = rest if front else text
    if len(sources) < 2 or given.partition(":")[0] in sources:
        return document_address(folder.flows, sources, text)
    found = [document_address(folder.flows, sources, f"{front}{source}:{given}") for source in sources]
    stored = [address for address in found if _is_stored(folder, address)]
    if len(stored) == 1:
        return stored[0]
    several = " and ".join(address.text for address in stored) if stored else "none of them has it"
    raise SettingsError(
        f"{text!r} may be of several sources ({', '.join(sources)}): {several}; write SOURCE:ID, e.g. {found[0].text}"
    )


def _is_stored(folder: DataFolder, address: Address) -> bool:
    """The document, or its root row, was ever there."""
    group = folder.flows.tables[address.table].key_group()
    with folder.repo.snapshot() as snapshot:
        (row,) = snapshot.read(address.table, group, [address.key])
        (content,) = snapshot.read(document_table(address.document), CONTENT, [address.key])
    return row is not None or content is not None
