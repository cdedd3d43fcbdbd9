"""The panels around the canvas: images, categories, boxes, teaching, jobs, status bar."""
