"""Figures, never verdicts: `python -m benchmarks` prints them all, `python -m benchmarks.NAME` one of them."""
