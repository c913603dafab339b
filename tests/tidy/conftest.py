"""What is not wrong, but worth a look, at the end of `make check`."""

import pytest

from tests.tidy.tree import code, modules, public_names

MODULE_LINES_WARN = 300
PUBLIC_NAMES_WARN = 8


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Modules that grow. Told only where nothing but the tidy tests was asked for."""
    if not all("tidy" in argument for argument in terminalreporter.config.args):
        return
    for module in modules():
        if (lines := module.text.count("\n")) > MODULE_LINES_WARN:
            terminalreporter.write_line(f"{module.path}: {lines} lines")
    for module in code():
        if (count := len(public_names(module))) > PUBLIC_NAMES_WARN:
            terminalreporter.write_line(f"{module.path}: {count} public names")
