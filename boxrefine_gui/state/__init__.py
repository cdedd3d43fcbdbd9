"""The state of the window (open, drawn, shown), with signals for its changes; nothing here makes decisions."""
