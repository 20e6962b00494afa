"""What the Postfix of a host will really do: its configuration as the host itself tells it, service by service."""
