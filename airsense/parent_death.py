"""A process that ends when its parent does, however that ended."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)  # found here: a child should not look for libraries before exec


def end_with(parent: int, signum: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel (Linux) for a signal at the death of the parent of this id.

    The kernel means the thread that started this process: start it from one that lives on. A later
    change of account forgets the request.
    """
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signum)
    if os.getppid() != parent:
        os._exit(1)  # it was dead before the kernel could be asked
