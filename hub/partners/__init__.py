"""Partners: the organisations in the programme and their people."""
