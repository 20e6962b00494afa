"""The resource types `PostfixHost`, `MailServer` and `RelayClient`: one Postfix host in its declared configuration."""
