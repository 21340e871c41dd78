"""What the municipality calls itself and in which languages it speaks: below everything that speaks for it."""
