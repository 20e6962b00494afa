"""The resource type of a certificate that somebody else signed for a key of ours."""
