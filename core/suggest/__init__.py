"""Suggestions: boxes of objects like those that a project's user has accepted, found on cached features."""
