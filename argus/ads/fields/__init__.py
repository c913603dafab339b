"""Computed fields of the ad: pure functions of named inputs."""
