"""Features + drawn boxes -> refinements: networks, their calibration, and their files."""
