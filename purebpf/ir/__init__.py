"""The program as SSA: data, text, rules of legality, meaning.

Takes functions from `frontend` (or from text) and gives them to `opt` and `codegen`. Ints are 64 bits; see `ops`.
Invariants: those at the top of `verify`; and `text.parse(text.print_module(m))` is `m` again.

Modules: `types`, `ops` (the table), `function` (the data), `builder`, `text`, `verify`, `cfg`, `interp`.
"""
