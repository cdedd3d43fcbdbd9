"""The verb `benchmark`: one module for each of its sub-verbs."""
