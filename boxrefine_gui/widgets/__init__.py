"""Parts that several panels and dialogs share: colours, notices, keys, labels."""
