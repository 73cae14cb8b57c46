"""Newsletters: written once, sent to everyone they are for, to nobody twice."""
