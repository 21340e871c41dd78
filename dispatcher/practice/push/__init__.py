"""The push service of the practice town (RFC 8030)."""
