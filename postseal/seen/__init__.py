"""Which client certificates Postfix saw, from its logs: who still uses an old one, and who was not seen at all."""
