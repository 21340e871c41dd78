"""The town: what arrived everywhere of one announcement, side by side."""
