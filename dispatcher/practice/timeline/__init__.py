"""The timeline of the practice town: a server that speaks Mastodon's API and shows its posts to the public."""
