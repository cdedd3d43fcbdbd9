"""Dialogs: export, encoders, keys, categories, help, and questions to the user."""
