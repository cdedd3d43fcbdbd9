"""Benchmarks of the real window, drawn offscreen; no user's window runs them."""
