"""The verbs: each changes stored data or starts a long job, and says who is told."""
