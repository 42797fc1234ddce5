"""IR to instructions: selection, register allocation, the stack frame, layout.

Takes an `ir.Function` (verified) and gives a `spec.FuncSpec`: jumps resolved, everything else still symbolic. The frame is at
most 512 bytes. What allocation did can be proved by `check`, which shares no code with it.
"""

from .generate import generate

__all__ = ["generate"]
