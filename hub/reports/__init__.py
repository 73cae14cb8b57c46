"""Reports: how the programme does, who grows and who needs help."""
