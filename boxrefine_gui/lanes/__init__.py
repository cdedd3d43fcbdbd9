"""Threads, the trainer's process and timers: what runs where, and in which order."""
