"""Articles in and out: a folder of Markdown, the same as a ZIP, or JSON lines."""
