"""Accounts: who is who, and how they prove it."""
