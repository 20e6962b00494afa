"""Who may relay on each host of a stack: name, fingerprint, generation, since, until and why."""
