"""Benchmarks of the real window, drawn offscreen. Only `boxrefine benchmark` runs them."""
