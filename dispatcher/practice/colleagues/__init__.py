"""The colleagues' channel of the practice town: takes web hooks."""
