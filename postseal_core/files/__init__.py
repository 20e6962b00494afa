"""File sets below one directory: planned as values (`tree`), written atomically (`directory`)."""
