"""The one suite that every channel passes. A channel adds ``cases/<name>.py`` with one ``CASE``, and nothing else."""
