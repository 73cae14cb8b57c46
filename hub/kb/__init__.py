"""The knowledge base: articles in four languages, their revisions, and what readers say of them."""
