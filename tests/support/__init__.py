"""What integration tests stand on: a throw-away authority, a private Postfix, an SMTP probe and the Pulumi engine."""
