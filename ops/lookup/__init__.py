"""Looks things up in a data folder and puts them together: traces of documents, and why one is (not) served."""
