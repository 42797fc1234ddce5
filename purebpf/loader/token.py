"""BPF tokens (6.9): a bpffs that was mounted for a user namespace with delegation lets who is privileged there do what was
delegated. A token is made of such a mount and goes with every command that uses it."""

from __future__ import annotations

import os
from errno import EINVAL, ENOENT, EOPNOTSUPP, EPERM
from typing import Final

from ..errors import KernelError, NotSupported
from . import bpf
from .fd import Fd, Holder
from .refusals import older_than, refuse

FLAG: Final = 1 << 16  # BPF_F_TOKEN_FD, of maps, programs and BTF alike

_HINTS = {EOPNOTSUPP: "the bpffs belongs to the initial user namespace, where capabilities say what a process may do: load without a token",
          ENOENT: "the mount delegates nothing: mount -t bpf -o delegate_cmds=…,delegate_maps=…,delegate_progs=…,delegate_attachs=…",
          EINVAL: "a token is made of the root of a bpffs mount",
          EPERM: "it needs CAP_BPF in the user namespace that the bpffs was mounted for, and this process is not in it"}


class Token(Holder):
    """`Token("/sys/fs/bpf")`: what a mount delegates, for `load(…, token=token)`. Close it after use. Raises NotSupported before
    6.9, KernelError with the reason."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        action = f"making a BPF token of {os.fspath(path)}"
        try:
            mount = Fd.owning(f"bpffs {os.fspath(path)}", os.open, path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise refuse(error.errno or EINVAL, action, caps=()) from None
        with mount:
            made = bpf.token_create(mount.fileno())
        if isinstance(made, int):
            if older_than("6.9"):
                raise NotSupported(-made, "BPF tokens", "6.9")
            raise KernelError(-made, action, _HINTS.get(-made, ""))
        self._fd = made


def given(token: Token | None, field: str, flags: str, already: int = 0) -> dict[str, int]:
    """The fields of a command that say by which token it is allowed."""
    return {flags: already | FLAG, field: token.fileno()} if token is not None else {flags: already} if already else {}
