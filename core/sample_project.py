"""The sample project: true and coarse boxes, drawn by us, for pictures that ship inside scikit-image."""
