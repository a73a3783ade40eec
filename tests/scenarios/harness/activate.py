#!/usr/bin/python3
"""Starts a program as a service manager does that has opened its listening sockets (socket
activation, sd_listen_fds(3)).

activate.py DESCRIPTOR... -- PROGRAM [ARGUMENT...]
"""

import fcntl
import os
import sys

FIRST = 3  # SD_LISTEN_FDS_START


def main() -> None:
    cut = sys.argv.index("--")
    passed = [int(word) for word in sys.argv[1:cut]]
    # first out of the way, since one may stand where another belongs
    aside = [fcntl.fcntl(fd, fcntl.F_DUPFD, FIRST + len(passed)) for fd in passed]
    for place, fd in enumerate(aside, FIRST):
        os.dup2(fd, place)
    os.closerange(FIRST + len(passed), 256)
    own = str(os.getpid())
    environment = {**os.environ, "LISTEN_FDS": str(len(passed)), "LISTEN_PID": own}
    if "WATCHDOG_USEC" in environment:
        environment["WATCHDOG_PID"] = own
    os.execve(sys.argv[cut + 1], sys.argv[cut + 1:], environment)


main()
