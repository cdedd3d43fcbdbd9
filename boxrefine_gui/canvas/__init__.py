"""The canvas: the picture, its boxes, and drawing and editing them by mouse and key."""
