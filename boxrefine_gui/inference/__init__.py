"""Encoding and refining for the window: during a drag, ahead of time, and a second time on crops."""
