"""The bell: what happened that concerns a person, in their language, live and by mail."""
