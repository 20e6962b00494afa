"""The resource type of a certificate that a third party signed for a key of ours."""
