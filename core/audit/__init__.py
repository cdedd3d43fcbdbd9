"""Checks of datasets: two of them compared, and one of them looked through for what may be wrong."""
