"""The feature cache: files of features, their index in SQLite, the tier in memory, packs, maintenance."""
