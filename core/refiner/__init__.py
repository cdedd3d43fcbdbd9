"""Features + drawn boxes -> refinements: the learned part of BoxRefine."""
