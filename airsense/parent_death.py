"""End a process when its parent process ends, even if the parent is killed."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)  # loaded here, because a forked child should not load libraries


def end_with(parent: int, signum: signal.Signals = signal.SIGTERM) -> None:
    """Let the Linux kernel send this process `signum` when its parent, process `parent`, ends.

    See PR_SET_PDEATHSIG in prctl(2). "Parent" is the thread that started this process, so start it
    from a thread that lives as long as the process should. Changing the user id resets the setting.
    """
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signum)
    if os.getppid() != parent:
        os._exit(1)  # the parent ended before the call
