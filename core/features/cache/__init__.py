"""The feature cache: files of features, their index in SQLite, memory, packs, care."""
