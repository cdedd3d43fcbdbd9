"""Refining many boxes of one picture, with a second look on crops."""
