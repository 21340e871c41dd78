"""How fast Omroeper is: ratios to tools that anyone can install, measured in the same run.

``make bench`` runs all of it; ``python -m benchmarks --help`` tells what can be chosen. ``results.md`` is what the last
full run found.
"""
