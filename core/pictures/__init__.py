"""Parts of `core.images`: kinds of picture files, how one is opened, turned upright, and scaled to 8 bits."""
