#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""list-tar.py: a tar archive on stdin as lines: kind and mode, owner, time, path, and what is in it.

Short texts are shown, others by size and digest; times as seconds.  Sorted by path.
"""
import hashlib
import sys
import tarfile

KINDS = {tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.LNKTYPE: "h", tarfile.FIFOTYPE: "p", tarfile.CHRTYPE: "c",
         tarfile.BLKTYPE: "b"}


def content(tar, entry):
    data = tar.extractfile(entry).read()
    if len(data) <= 60 and all(32 <= c < 127 or c in b"\n\t" for c in data):
        return " " + repr(data.decode())
    return f" {len(data)} {hashlib.sha256(data).hexdigest()[:12]}"


lines = []
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar:
    for entry in tar:
        what = ""
        if entry.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            what = " -> " + entry.linkname
        elif entry.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
            what = f" {entry.devmajor}:{entry.devminor}"
        elif entry.isreg():
            what = content(tar, entry)
        caps = " +capability" if "SCHILY.xattr.security.capability" in entry.pax_headers else ""
        lines.append((entry.name, f"{KINDS.get(entry.type, '-')}{entry.mode:04o} {entry.uid}:{entry.gid} "
                                  f"{int(entry.mtime)} {entry.name}{what}{caps}"))
for _, line in sorted(lines):
    print(line)
