"""Labelled sets in shards: files of many pictures with their boxes, from which training reads a picture by its place.

A shard is a tar file as WebDataset reads it (`tar_shards`), or a Parquet table (`table_shards`). It may lie in an
object store; nothing is unpacked.
"""
