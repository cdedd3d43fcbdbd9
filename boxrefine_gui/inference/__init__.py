"""Encoding and refining for the window: live, ahead of time, and a second time on crops."""
