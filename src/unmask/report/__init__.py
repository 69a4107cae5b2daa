"""Pages and figures for people to read."""
