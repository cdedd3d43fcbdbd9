"""Weights on the disk: what is published, downloaded, added, checked."""
