"""Many clients of one authority in one resource: declarations, decisions, issue and preview lines."""
