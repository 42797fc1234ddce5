"""IR to better IR, in place. Takes modules from `frontend`, leaves them for `codegen`; knows only `ir`.

`optimize(module)` runs the passes of `pipeline` in order; each pass is a file and a function on one `Function`.
Invariants: every pass takes and leaves IR that `ir.verify` accepts, and keeps what the program does, with two
freedoms: uninitialised memory may be any value, and reads may be merged where no other CPU could prove it.
"""

from .pipeline import optimize

__all__ = ["optimize"]
