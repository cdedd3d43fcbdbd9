"""Threads, the trainer's process and timers: who runs what, and in which order."""
