"""The light encoder, which ships."""
