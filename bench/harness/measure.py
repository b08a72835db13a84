# SPDX-License-Identifier: Apache-2.0
"""Runs a program and writes what it took to descriptor 3, as one line of JSON.

Node.js cannot ask the kernel for the resources of a child with all its children (wait4), and a child of a large
process would be charged with its parent's memory: the kernel carries the peak over fork and exec.
"""
import json
import os
import signal
import sys
import time

started = time.perf_counter()
# Whoever ends this program means the one that it runs.
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, 3)])
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - started
cost = {
    "status": os.waitstatus_to_exitcode(status),
    "wall": wall,
    "user": usage.ru_utime,
    "system": usage.ru_stime,
    "rss": usage.ru_maxrss * 1024,
}
os.write(3, json.dumps(cost).encode())
