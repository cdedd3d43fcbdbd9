"""What stands around the canvas: images, categories, boxes, status bar."""
