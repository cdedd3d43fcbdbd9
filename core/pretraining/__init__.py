"""Train the shipped weights from labelled sets. The app and its everyday verbs do not import this package."""
