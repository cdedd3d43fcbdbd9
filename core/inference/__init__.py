"""Refining many boxes of one picture, with both looks."""
