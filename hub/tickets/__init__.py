"""Tickets: questions and answers, one thread whatever door they came through."""
