"""The project's figures, measured over real HTTP against a real server and a bare baseline."""
