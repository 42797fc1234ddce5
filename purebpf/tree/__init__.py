"""The checked program: what every front end makes and `lower` takes.

Takes nothing; gives nodes (`nodes`), what values are (`kinds`), the rule for turning one kind into another (`convert`) and a
printed form (`text`). Invariants: it knows no Python `ast` and no IR; a node is complete when made: its kind and its span
are final, and lowering it needs no further decision.
"""
