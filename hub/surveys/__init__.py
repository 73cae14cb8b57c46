"""Surveys and ideas: what partners think, asked and unasked."""
