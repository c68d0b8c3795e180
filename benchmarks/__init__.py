"""Deskmate beside named peers: one script a question, run by `make bench-NAME`."""
