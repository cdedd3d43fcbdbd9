"""Measure refiners on labelled sets. The app and its everyday verbs do not import this package."""
