"""Argus: handlers join rows into documents, triggered by notifications."""
