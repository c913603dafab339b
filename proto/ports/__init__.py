"""Ports: what services need from outside, as protocols. Adapters live beside their port or in ops."""
