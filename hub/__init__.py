"""Partner Hub: one place where a partner programme talks to its partners."""
