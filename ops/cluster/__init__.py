"""The real servers on one machine: started, looked at and stopped by `adsindex cluster`."""
