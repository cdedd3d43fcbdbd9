"""The verb `benchmark`, for developers: one module for each of its sub-verbs."""
