"""What is open, drawn and shown now, with signals that say so; nothing here decides."""
