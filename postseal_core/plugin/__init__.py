"""The seam to the Pulumi engine: gRPC life cycle, value codec and registry of handlers; knows no X.509, no Postfix."""
