"""The command line `adsindex`: one module a command."""
