"""Work on many machines: callables for the batches of Ray Data or Spark, and a thin run of them on Ray.

Nothing here schedules: Ray does, where it is installed. Each callable takes rows and gives rows, holds its models, and
reads and writes the feature cache, which is the checkpoint: a second run does only what is missing.
"""
