"""The flows file: model, loader, paths, conditions."""
