"""Runs something again and again until every way to choose has been taken: stateless model checking, in small."""

from collections.abc import Callable, Hashable, Iterator


class Choices:
    """A run asks it wherever there is a choice, and does the same again when it gets the same answers."""

    def __init__(self, prefix: list[int], known: set[Hashable]) -> None:
        self._prefix, self._known = prefix, known
        self.taken: list[tuple[int, int]] = []  # (choice, of how many)

    def seen_before(self, state: Callable[[], Hashable]) -> bool:
        """Whether an earlier run came to the same state, so that this one may end here: all that can follow has
        followed, or will. state: everything on which the rest of a run depends, and its judgement."""
        if len(self.taken) < len(self._prefix):
            return False  # on the way to something new
        known, found = len(self._known), state()
        self._known.add(found)
        return len(self._known) == known

    def choose(self, count: int) -> int:
        """One of 0 ... count - 1."""
        at = len(self.taken)
        choice = self._prefix[at] if at < len(self._prefix) else 0
        self.taken.append((choice, count))
        return choice

    def next_prefix(self) -> list[int] | None:
        """Of the run after this one, depth first; None: this was the last."""
        taken = list(self.taken)
        while taken:
            choice, count = taken.pop()
            if choice + 1 < count:
                return [before for before, _ in taken] + [choice + 1]
        return None


def every_schedule(run: Callable[[Choices], None]) -> Iterator[None]:
    """Yields after each run. What `run` raises gets the choices that led there as a note."""
    prefix: list[int] | None = []
    known: set[Hashable] = set()
    while prefix is not None:
        choices = Choices(prefix, known)
        try:
            run(choices)
        except BaseException as error:
            error.add_note(f"choices: {[choice for choice, _ in choices.taken]}")
            raise
        yield
        prefix = choices.next_prefix()
