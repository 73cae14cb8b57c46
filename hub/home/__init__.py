"""The first page: what needs me, what I earn, what is new."""
