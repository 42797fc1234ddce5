"""The program as SSA: data, text, rules of legality, meaning.

Takes functions from `frontend` (or from text) and gives them to `opt` and `codegen`. Ints are 64 bits; see `ops`.
"""
