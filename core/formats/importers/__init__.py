"""Readers of annotation files of other programs."""
