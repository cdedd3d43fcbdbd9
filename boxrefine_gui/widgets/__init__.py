"""Parts that panels and dialogs share: colors, notices, keys, labels, language."""
