"""Projects of several people as one: the merge, the conflicts that it finds, and shares of a project for people."""
