"""What the pages of residents and of staff share: language, wording, errors, networks, the access log."""
