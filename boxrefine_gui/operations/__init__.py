"""Operations of the window: each changes stored data or starts a long job, and reports how it ended."""
