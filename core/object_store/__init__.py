"""Files in object stores, by addresses such as s3://bucket/folder, through fsspec; imported only where one is used."""
