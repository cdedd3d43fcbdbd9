"""Encoding of many pictures: read ahead, in batches, in an order."""
