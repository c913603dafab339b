"""Whether somebody asked for healing: known to all processes of a data folder."""

from pathlib import Path


class HealRequest:
    """That somebody asked for healing now: a file in the data folder, so that all processes see it, and it survives."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "heal-asked"

    def ask(self) -> None:
        """Until everything is healed."""
        self._path.touch()

    def asked(self) -> bool:
        return self._path.exists()

    def done(self) -> None:
        """Safe to repeat."""
        self._path.unlink(missing_ok=True)
