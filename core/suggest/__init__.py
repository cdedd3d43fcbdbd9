"""Suggestions: boxes that nobody drew, by what a project's accepted boxes show, on cached features."""
