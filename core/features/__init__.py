"""Features of pictures: their source, the cache, and encoding in batches."""
