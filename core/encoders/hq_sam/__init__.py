"""HQ-SAM's four encoders."""
