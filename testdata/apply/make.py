#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the archives of this directory: what they try is their name, what comes of it is in apply.tsv."""
import io
import os
import sys
import tarfile

here = os.path.dirname(os.path.abspath(sys.argv[0]))


def member(word):
    """One word: d/ f=bytes l->t h==x p| c:1,3"""
    info = tarfile.TarInfo()
    info.mtime = 1000000000
    info.mode = 0o644
    data = b""
    if "->" in word:
        info.name, info.linkname = word.split("->", 1)
        info.type = tarfile.SYMTYPE
    elif "==" in word:
        info.name, info.linkname = word.split("==", 1)
        info.type = tarfile.LNKTYPE
    elif ":" in word:
        info.name, numbers = word.split(":", 1)
        info.type = tarfile.CHRTYPE
        info.devmajor, info.devminor = (int(n) for n in numbers.split(","))
    elif word.endswith("/"):
        info.name = word[:-1] or "."
        info.type = tarfile.DIRTYPE
        info.mode = 0o755
    elif word.endswith("|"):
        info.name = word[:-1]
        info.type = tarfile.FIFOTYPE
    else:
        info.name, _, text = word.partition("=")
        data = text.encode()
    info.size = len(data)
    return info, data


def write(name, words, headers=None):
    with tarfile.open(os.path.join(here, name + ".tar"), "w", format=tarfile.PAX_FORMAT) as tar:
        for word in words:
            info, data = member(word)
            if headers and info.name in headers:
                info.pax_headers = headers[info.name]
            tar.addfile(info, io.BytesIO(data))
    # a record of 20 blocks is for tapes
    path = os.path.join(here, name + ".tar")
    with open(path, "rb") as f:
        content = f.read().rstrip(b"\0")
    with open(path, "wb") as f:
        f.write(content.ljust((len(content) + 511) // 512 * 512 + 1024, b"\0"))


write("bad-absolute", ["/abs=1", "/d/", "/d/f=1"])
write("bad-through-absolute-link", ["d->/tmp", "d/evil=1"])
write("bad-through-climbing-link", ["d->../../../../../..", "d/tmp/evil=1", "d/../x=1"][:2])
write("bad-through-link-to-canary", ["d->../canary", "d/evil=1", "d/.wh.secret"])
write("bad-through-proc", ["d->/proc/self/cwd", "d/evil=1"])
write("bad-link-then-dir", ["d->../canary", "d/"])
write("bad-link-then-file", ["f->../canary/secret", "f=overwritten"])
write("bad-link-chain", ["a->b", "b->c", "c->../canary", "a/evil=1"])
write("bad-link-swap", ["d/", "d/f=1", "d->../canary", "d/evil=1", "d/", "d/g=1"])
write("bad-hardlink-outside", ["h==../canary/secret"])
write("bad-hardlink-absolute", ["h==/etc/passwd"])
write("bad-hardlink-through-link", ["d->../canary", "h==d/secret"])
write("bad-hardlink-to-link", ["l->../canary/secret", "h==l", "h=overwritten"])
write("bad-hardlink-to-itself", ["f=1", "f==f"])
write("bad-hardlink-to-dir", ["d/", "h==d"])
write("bad-hardlink-to-cwd", ["h==Makefile"])
write("bad-whiteout-through-link", ["d->../canary", "d/.wh.secret"])
write("bad-whiteout-of-link", ["d->../canary", ".wh.d"])
write("bad-opaque-through-link", ["d->../canary", "d/.wh..wh..opq"])
write("bad-device-zero", ["z:0,0", "f=1", "f:0,0"])
write("bad-file-as-parent", ["a=1", "a/b=1"])
write("bad-loop", ["a->b", "b->a", "a/f=1"])
write("bad-overlay-attributes", ["d/", "f=1"], {
    "d": {"SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.xattr.trusted.overlay.opaque": "y"},
    "f": {"SCHILY.xattr.user.overlay.redirect": "/x", "SCHILY.xattr.user.overlay.metacopy": "",
          "SCHILY.xattr.user.overlay.whiteout": "", "SCHILY.xattr.user.kept": "1"}})
write("good-aufs", [".wh..wh.plnk/", ".wh..wh.plnk/123=1", ".wh..wh.aufs=1", "f=1"])
write("good-hardlinks", ["z=abc", "b==z", "a==b", "z=new", "d/", "d/x==a"])
write("good-replaced", ["x=1", "x/", "x/y=1", "x->y", "x|", "x==f", "f=2", "x=3"][:5] + ["x=3"])
write("good-whiteouts", ["d/", "d/.wh.gone", "e/", "e/.wh..wh..opq", "e/f=1", ".wh.x", "x/", "x/y=1"])
write("good-parents", ["a/b/c/f=1", "a/", "a/b/g=2"])
