"""Snapshot isolation, judged from outside: from what clients asked and were told, and from nothing else.

As in Elle (Kingsbury and Alvaro, VLDB 2020): elements are unique and lists only grow, so the lists that are read tell
the order in which they were appended. From it come the dependencies between transactions: ww (next in a list), wr (read
what it wrote), rw (did not read yet what it wrote). A history is snapshot isolated iff no cycle of them lacks two rw in
a row (Cerone and Gotsman, JACM 2018): iff (ww | wr) followed by at most one rw has no cycle. With the order of each
process among them: strong session snapshot isolation, in which a client reads its own commits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from tests.judge.history import Operation, Transaction

Graph = dict[Transaction, set[Transaction]]


def anomalies(history: Sequence[Transaction]) -> list[str]:
    """Each a sentence that begins with its name; none: the history is snapshot isolated.

    Ends with a read of every list that was appended to, or else what is missing at its end is called lost.
    """
    writers = {place: one for one in history for place in one.appends()}
    lists, found = _lists(history)
    found += _unfounded(lists, writers)
    happened = [one for one in history if one.outcome == "ok" or _seen(one, lists)]
    found += [
        problem for one in happened for problem in (*_lost(one, lists), *_internal(one), *_intermediate(one, writers))
    ]
    return found or list(_cycles(happened, lists, writers))


def _lists(history: Iterable[Transaction]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The longest of each that was read; and those that are not the beginning of it."""
    read = [(one, operation.key, _before_its_own(one, operation)) for one in history for operation in _reads(one)]
    longest: dict[str, tuple[str, ...]] = {}
    for _, key, elements in read:
        if len(elements) > len(longest.get(key, ())):
            longest[key] = elements
    found = [
        f"duplicate: {key} is {elements}" for key, elements in longest.items() if len(set(elements)) < len(elements)
    ]
    found += [
        f"incompatible order: {one} read {key} as {elements}, and it is {longest[key][: len(elements)]}"
        for one, key, elements in read
        if elements != longest.get(key, ())[: len(elements)]
    ]
    return longest, found


def _reads(one: Transaction) -> Iterator[Operation]:
    if one.outcome == "ok":
        yield from (operation for operation in one.operations if operation.reads is not None)


def _before_its_own(one: Transaction, read: Operation) -> tuple[str, ...]:
    """What it read, without what it has appended itself."""
    own = {element for key, element in one.appends() if key == read.key}
    return tuple(element for element in read.reads or () if element not in own)


def _seen(one: Transaction, lists: Mapping[str, tuple[str, ...]]) -> bool:
    return any(element in lists.get(key, ()) for key, element in one.appends())


def _unfounded(lists: Mapping[str, tuple[str, ...]], writers: Mapping[tuple[str, str], Transaction]) -> Iterator[str]:
    """Elements that nobody appended, or that were told not to be."""
    for key, elements in lists.items():
        for element in elements:
            writer = writers.get((key, element))
            if writer is None:
                yield f"garbage: {key} has {element}, which nobody appended"
            elif writer.outcome == "fail":
                yield f"G1a: {key} has {element} of {writer}, which was told that it failed"


def _lost(one: Transaction, lists: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for key, element in one.appends():
        if element not in lists.get(key, ()):
            yield f"lost: {one} happened, and {key} has no {element}"


def _internal(one: Transaction) -> Iterator[str]:
    """Within a transaction, reads agree with each other and with what it appended before."""
    expected: dict[str, tuple[str, ...]] = {}
    appended: dict[str, tuple[str, ...]] = {}
    for key, element, reads in one.operations if one.outcome == "ok" else ():
        if reads is None:
            appended[key] = (*appended.get(key, ()), element)
            if key in expected:
                expected[key] = (*expected[key], element)
            continue
        mine = appended.get(key, ())
        if reads != expected.get(key, reads) or reads[len(reads) - len(mine) :] != mine:
            yield f"internal: {one} read {key} as {reads}, and should have found {expected.get(key, mine)}"
        expected[key] = reads


def _intermediate(one: Transaction, writers: Mapping[tuple[str, str], Transaction]) -> Iterator[str]:
    """A list that ends in the midst of what a transaction appended to it."""
    for read in _reads(one):
        elements = _before_its_own(one, read)
        writer = writers.get((read.key, elements[-1])) if elements else None
        if writer is not None and [element for key, element in writer.appends() if key == read.key][-1] != elements[-1]:
            yield f"G1b: {one} read {read.key} in the midst of {writer}"


def _cycles(
    happened: Sequence[Transaction],
    lists: Mapping[str, tuple[str, ...]],
    writers: Mapping[tuple[str, str], Transaction],
) -> Iterator[str]:
    """The first one, by the name of the weakest level that excludes it."""
    ww, wr, rw = _dependencies(happened, lists, writers)
    before = _joined(ww, wr)
    kinds = {
        "G0": ww,
        "G1c": before,
        "G-SI (G-single and the like)": _followed(before, rw),
        "session": _followed(_joined(before, _sessions(happened)), rw),
    }
    for name, graph in kinds.items():
        if cycle := _cycle(graph):
            yield f"{name}: {' -> '.join(map(str, cycle))}"
            return


def _dependencies(
    happened: Iterable[Transaction],
    lists: Mapping[str, tuple[str, ...]],
    writers: Mapping[tuple[str, str], Transaction],
) -> tuple[Graph, Graph, Graph]:
    """ww, wr, rw."""
    ww, wr, rw = Graph(), Graph(), Graph()
    for key, elements in lists.items():
        for before, after in pairwise(writers[key, element] for element in elements):
            _add(ww, before, after)
    for one in happened:
        for read in _reads(one):
            seen, all = len(_before_its_own(one, read)), lists.get(read.key, ())
            if seen:
                _add(wr, writers[read.key, all[seen - 1]], one)
            if seen < len(all):
                own = {element for key, element in one.appends() if key == read.key}
                later = next((element for element in all[seen:] if element not in own), None)
                if later is not None:
                    _add(rw, one, writers[read.key, later])
    return ww, wr, rw


def _sessions(happened: Iterable[Transaction]) -> Graph:
    """From each that ended to the next one of its process."""
    graph, last = Graph(), dict[str, Transaction]()
    for one in sorted(happened, key=lambda one: one.began_ns):
        if one.process in last:
            _add(graph, last[one.process], one)
        if one.outcome == "ok":
            last[one.process] = one
    return graph


def _add(graph: Graph, before: Transaction, after: Transaction) -> None:
    if before is not after:
        graph.setdefault(before, set()).add(after)


def _joined(one: Graph, other: Graph) -> Graph:
    return {node: one.get(node, set()) | other.get(node, set()) for node in one.keys() | other.keys()}


def _followed(graph: Graph, rw: Graph) -> Graph:
    """An edge of `graph`, and then perhaps one of `rw`. It may lead back to where it began."""
    return {
        node: nexts.union(*(rw[one] for one in nexts if one in rw))
        for node, nexts in graph.items()
    }  # fmt: skip


def _cycle(graph: Graph) -> list[Transaction]:
    """Some cycle, its first node repeated at the end; empty: there is none. (Depth first, without recursion.)"""
    done: set[Transaction] = set()
    for root in graph:
        path, ways = [root], [iter(graph[root])]
        on_path = {root}
        while ways:
            after = next(ways[-1], None)
            if after is None:
                ways.pop()
                on_path.remove(path[-1])
                done.add(path.pop())
            elif after in on_path:
                return [*path[path.index(after) :], after]
            elif after not in done:
                path.append(after)
                on_path.add(after)
                ways.append(iter(graph.get(after, ())))
    return []
