#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the archives of this directory, byte for byte the same each time.

good-*.tar are what other writers make; good-*.txt (written by hand) says what they hold.
bad-<crime>.tar commit one crime each; bad.tsv (written by hand) says what is answered.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
USTAR, GNU, V7 = b"ustar\x0000", b"ustar  \x00", bytes(8)


def field(value, size):
    if isinstance(value, bytes):
        return value.ljust(size, b"\0")
    return b"%0*o\0" % (size - 1, value)


def header(name=b"f", type=b"0", size=0, mode=0o644, uid=0, gid=0, mtime=1, link=b"", magic=USTAR,
           major=0, minor=0, prefix=b"", tail=b"", checksum=None):
    block = (name.ljust(100, b"\0") + field(mode, 8) + field(uid, 8) + field(gid, 8) +
             field(size, 12) + field(mtime, 12) + b" " * 8 + type + link.ljust(100, b"\0") + magic +
             bytes(64) + field(major, 8) + field(minor, 8) + (prefix.ljust(155, b"\0") + tail).ljust(167, b"\0"))
    assert len(block) == 512, len(block)
    if checksum is None:
        checksum = b"%06o\0 " % sum(block)
    return block[:148] + checksum + block[156:]


def pad(data):
    return data + bytes(-len(data) % 512)


def file(data=b"", **how):
    how.setdefault("size", len(data))
    return header(**how) + pad(data)


def record(key, value):
    size = len(key) + len(value) + 3
    total = size + len(str(size))
    if len(str(total)) > len(str(size)):
        total += 1
    return b"%d %s=%s\n" % (total, key, value)


def raw_pax(data, type=b"x", **how):
    return file(data, name=b"PaxHeaders.0/f", type=type, **how)


def pax(*records, **how):
    return raw_pax(b"".join(record(k, v) for k, v in records), **how)


def long(text, type=b"L"):
    return file(text + b"\0", name=b"././@LongLink", type=type, magic=GNU)


def gnu_sparse(slots, real_size, data=b"", extended=b"\0", more=b"", **how):
    """offsets 386: four slots, a flag, the real size"""
    fields = b"".join(field(o, 12) + field(s, 12) for o, s in slots).ljust(96, b"\0")
    tail = bytes(41) + fields + extended + field(real_size, 12)
    how.setdefault("size", len(data))
    return header(type=b"S", magic=GNU, prefix=tail[:155], **how) + more + pad(data)


def extension(slots, extended=b"\0"):
    return (b"".join(field(o, 12) + field(s, 12) for o, s in slots).ljust(504, b"\0") + extended).ljust(512, b"\0")


END = bytes(1024)
BASE256 = lambda n, size: (b"\x80" + n.to_bytes(size - 1, "big")) if n >= 0 else (
    b"\xff" + (n + (1 << 8 * (size - 1))).to_bytes(size - 1, "big"))
SPARSE_1_0 = [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0")]

good = {
    "kinds": header(name=b"./", type=b"5", mode=0o755) + header(name=b"d/", type=b"5", mode=0o1777) +
    file(b"hello\n", name=b"d/f", mode=0o104755) + header(name=b"d/h", type=b"1", link=b"./d//f") +
    header(name=b"d/s", type=b"2", link=b"../../x", mode=0o777) +
    header(name=b"c", type=b"3", major=1, minor=3) + header(name=b"b", type=b"4", major=8, minor=0) +
    header(name=b"p", type=b"6") + file(b"x", name=b"/abs", type=b"7") + END,
    "v7": file(b"x", name=b"f", type=b"\0", magic=V7, mode=b"   644 \0", uid=b"     1 \0") +
    header(name=b"d/", type=b"\0", magic=V7) + END,
    "prefix": file(b"x", name=b"n" * 100, prefix=b"p/q") + file(b"y", name=b"m", prefix=b"r" * 155) + END,
    "gnu": long(b"d/" + b"n" * 150) + file(b"x", name=b"d/nnn", magic=GNU) +
    long(b"t" * 150, b"K") + long(b"l" * 120) + header(name=b"lll", type=b"2", link=b"ttt", magic=GNU) +
    file(b"x", name=b"big", magic=GNU, uid=BASE256(3000000, 8), mtime=BASE256(-5, 12)) + END,
    "pax": pax((b"path", b"d/" + b"\xc3\xa9" * 80), (b"mtime", b"-1.25"), (b"uid", b"3000000"),
               (b"SCHILY.xattr.user.b", b"2\0="), (b"SCHILY.xattr.user.a", b""), (b"comment", b"")) +
    file(b"x", name=b"short") + pax((b"linkpath", b"l" * 200), (b"ctime", b"1")) +
    header(name=b"s", type=b"2", link=b"lll") + END,
    "pax-size": pax((b"size", b"3")) + header(size=0) + pad(b"abc") + file(b"", name=b"g") + END,
    "pax-global": pax((b"path", b"evil"), (b"size", b"99"), (b"comment", b"c"), type=b"g") + file(b"x") + END,
    "sparse-gnu": gnu_sparse([(2, 2), (5, 1)], 8, b"abc") + file(b"z", name=b"after") + END,
    "sparse-gnu-extended": gnu_sparse([(0, 1), (2, 1), (4, 1), (6, 1)], 12, b"abcdef", b"\1",
                                      extension([(8, 1), (10, 1)])) + file(b"z", name=b"after") + END,
    "sparse-0.0": pax((b"GNU.sparse.size", b"8"), (b"GNU.sparse.numblocks", b"2"), (b"GNU.sparse.offset", b"2"),
                      (b"GNU.sparse.numbytes", b"2"), (b"GNU.sparse.offset", b"5"), (b"GNU.sparse.numbytes", b"1")) +
    file(b"abc") + file(b"z", name=b"after") + END,
    "sparse-0.1": pax((b"GNU.sparse.size", b"8"), (b"GNU.sparse.numblocks", b"2"), (b"GNU.sparse.name", b"real"),
                      (b"GNU.sparse.map", b"2,2,5,1"), (b"path", b"GNUSparseFile.0/real")) +
    file(b"abc") + file(b"z", name=b"after") + END,
    "sparse-1.0": pax(*SPARSE_1_0, (b"path", b"GNUSparseFile.0/real"), (b"GNU.sparse.name", b"real"),
                      (b"GNU.sparse.realsize", b"8")) +
    file(pad(b"2\n2\n2\n5\n1\n") + b"abc") + file(b"z", name=b"after") + END,
    "sparse-hole": pax((b"GNU.sparse.size", b"4"), (b"GNU.sparse.numblocks", b"0"), (b"GNU.sparse.map", b"")) +
    file(b"") + END,
    "whiteouts": header(name=b"d/", type=b"5") + file(b"", name=b"d/.wh..wh..opq") + file(b"", name=b".wh..wh..opq") +
    file(b"", name=b"d/.wh.gone") + header(name=b".wh.old", type=b"1", link=b".wh..wh.aufs") +
    header(name=b".wh..wh.plnk/", type=b"5") + file(b"x", name=b".wh..wh.plnk/1.2") + file(b"x", name=b"d/.wh.more") +
    file(b"", name=b".wh....") + END,
    "no-end": file(b"x"),
    "one-zero-block": file(b"x") + bytes(512),
    "tail": file(b"x") + END + b"behind the end" * 100,
    "empty": b"",
    "signed-checksum": header(name=b"\xe9", checksum=b"%06o\0 " % (sum(header(name=b"\xe9", checksum=b" " * 8)) - 256)) + END,
    "odd-names": file(b"", name=b"\x1b]0;x\n\xff") + file(b"", name=b"a/./b//c") + file(b"", name=b"...") + END,
}

bad = {
    "climb": file(name=b"../x") + END,
    "climb-inside": file(name=b"a/../../x") + END,
    "climb-link": header(name=b"h", type=b"1", link=b"../x") + END,
    "climb-pax": pax((b"path", b"a/../b")) + file() + END,
    "climb-long": long(b"../x") + file(magic=GNU) + END,
    "no-name": file(name=b"") + END,
    "root-file": file(name=b"./.") + END,
    "root-symlink": header(name=b"/.", type=b"2", link=b"x") + END,
    "root-symlink-slash": header(name=b"/", type=b"2", link=b"x") + END,
    "file-slash": file(name=b"a/") + END,
    "symlink-dot": header(name=b"a/.", type=b"2", link=b"x") + END,
    "link-to-nothing": header(name=b"h", type=b"2") + END,
    "link-to-root": header(name=b"h", type=b"1", link=b"/") + END,
    "link-to-itself": header(name=b"h", type=b"1", link=b"./h") + END,
    "checksum": file(checksum=b"000000\0 ") + END,
    "half-header": file()[:100],
    "half-file": file(b"x")[:600],
    "half-end-of-extension": pax((b"path", b"a")),
    "extension-then-end": pax((b"path", b"a")) + END,
    "lone-zero-block": file(b"x") + bytes(512) + file(b"y") + END,
    "size-garbage": file(size=b"12x") + END,
    "size-behind-zero": file(size=b"1\0" + b"2") + END,
    "size-negative": file(size=BASE256(-1, 12)) + END,
    "size-2-63": file(size=b"\x80\0\0\0" + b"\x80" + bytes(7)) + END,
    "size-max": file(size=BASE256((1 << 63) - 1, 12)) + END,
    "size-wide": file(size=b"\x80\0\1" + bytes(9)) + END,
    "size-odd-base": file(size=b"\xa0" + bytes(11)) + END,
    "dir-with-bytes": header(name=b"d/", type=b"5", size=512) + bytes(512) + END,
    "hardlink-with-bytes": header(name=b"h", type=b"1", link=b"f", size=512) + bytes(512) + END,
    "uid-garbage": file(uid=b"12-") + END,
    "uid-2-32": file(uid=BASE256(1 << 32, 8)) + END,
    "uid-minus-one": file(uid=BASE256((1 << 32) - 1, 8)) + END,
    "pax-uid-2-32": pax((b"uid", b"4294967296")) + file() + END,
    "mode-huge": file(mode=BASE256(1 << 40, 8)) + END,
    "device-garbage": header(name=b"c", type=b"3", major=b"x") + END,
    "type-unknown": file(type=b"Z") + END,
    "type-multivolume": file(type=b"M") + END,
    "whiteout-nothing": file(name=b"a/.wh.") + END,
    "whiteout-dot": file(name=b"a/.wh..") + END,
    "whiteout-parent": file(name=b"a/.wh...") + END,
    "whiteout-inside": file(name=b".wh./etc") + END,
    "whiteout-inside-parent": file(name=b"a/.wh.../x") + END,
    "gnu-prefix": file(magic=GNU, prefix=b"some/dir") + END,
    "pax-then-long": pax((b"path", b"a")) + long(b"b") + file(magic=GNU) + END,
    "long-then-pax": long(b"b") + pax((b"path", b"a")) + file() + END,
    "pax-twice": pax((b"path", b"a")) + pax((b"size", b"0")) + file() + END,
    "pax-then-global": pax((b"path", b"a")) + pax((b"path", b"b"), type=b"g") + file() + END,
    "long-twice": long(b"a") + long(b"b") + file(magic=GNU) + END,
    "long-8gib": header(name=b"././@LongLink", type=b"L", magic=GNU, size=BASE256(8 << 30, 12)) + END,
    "long-negative": header(name=b"././@LongLink", type=b"L", magic=GNU, size=BASE256(-8, 12)) + END,
    "long-empty": long(b"") + file(magic=GNU) + END,
    "long-zero-byte": long(b"a\0b") + file(magic=GNU) + END,
    "pax-8gib": header(type=b"x", size=BASE256(8 << 30, 12)) + END,
    "global-2mib": header(type=b"g", size=2 << 20) + END,
    "pax-length-zero": raw_pax(b"0 a=b\n") + file() + END,
    "pax-length-long": raw_pax(b"7 a=b\n") + file() + END,
    "pax-length-short": raw_pax(b"5 a=b\n") + file() + END,
    "pax-length-19-digits": raw_pax(b"9999999999999999999 a=b\n") + file() + END,
    "pax-length-sign": raw_pax(b"+7 a=b\n") + file() + END,
    "pax-length-padded": raw_pax(b"007 a=\n") + file() + END,
    "pax-no-newline": raw_pax(b"6 a=bc6 a=b\n") + file() + END,
    "pax-no-equals": raw_pax(b"6 abc\n") + file() + END,
    "pax-no-key": raw_pax(b"6 =bc\n") + file() + END,
    "pax-key-zero": pax((b"pa\0th", b"x")) + file() + END,
    "pax-path-zero": pax((b"path", b"a\0b")) + file() + END,
    "pax-path-empty": pax((b"path", b"")) + file() + END,
    "pax-path-twice": pax((b"path", b"a"), (b"path", b"b")) + file() + END,
    "pax-size-twice": pax((b"size", b"1"), (b"size", b"0")) + file() + END,
    "pax-size-negative": pax((b"size", b"-1")) + file() + END,
    "pax-size-2-64": pax((b"size", b"18446744073709551616")) + file() + END,
    "pax-size-2-63": pax((b"size", b"9223372036854775808")) + file() + END,
    "pax-size-beyond": pax((b"size", b"1024")) + header(size=0) + END[:512],
    "pax-mtime": pax((b"mtime", b"1e9")) + file() + END,
    "pax-xattr-no-name": pax((b"SCHILY.xattr.", b"x")) + file() + END,
    "pax-xattrs-2000": pax(*[(b"SCHILY.xattr.user.%d" % i, b"") for i in range(2000)]) + file() + END,
    "sparse-unknown": pax((b"GNU.sparse.major", b"2"), (b"GNU.sparse.minor", b"0"),
                          (b"GNU.sparse.realsize", b"8")) + file(b"x") + END,
    "sparse-key-unknown": pax((b"GNU.sparse.colour", b"2")) + file(b"x") + END,
    "sparse-dir": pax((b"GNU.sparse.size", b"0"), (b"GNU.sparse.numblocks", b"0"), (b"GNU.sparse.map", b"")) +
    header(name=b"d/", type=b"5") + END,
    "sparse-ustar-s": file(type=b"S") + END,
    "sparse-overlap": gnu_sparse([(2, 2), (3, 1)], 8, b"abc") + END,
    "sparse-descending": gnu_sparse([(5, 1), (2, 2)], 8, b"abc") + END,
    "sparse-beyond": gnu_sparse([(7, 3)], 8, b"abc") + END,
    "sparse-negative": gnu_sparse([(BASE256(-1, 12), 3)], 8, b"abc") + END,
    "sparse-too-few-bytes": gnu_sparse([(0, 8)], 8, b"abc") + END,
    "sparse-too-many-bytes": gnu_sparse([(0, 2)], 8, b"abc") + END,
    "sparse-huge": gnu_sparse([(0, 3)], BASE256(1 << 60, 12), b"abc") + END,
    "sparse-half-slot": gnu_sparse([(0, b"")], 8, b"") + END,
    "sparse-ends-and-goes-on": gnu_sparse([(0, 3)], 8, b"abc", b"\1", extension([(4, 0)])) + END,
    "sparse-extension-cut": gnu_sparse([(0, 1), (2, 1), (4, 1), (6, 1)], 8, b"", b"\1", b"", size=4),
    "sparse-0.0-half-pair": pax((b"GNU.sparse.size", b"8"), (b"GNU.sparse.numblocks", b"1"),
                                (b"GNU.sparse.offset", b"2")) + file(b"abc") + END,
    "sparse-0.0-order": pax((b"GNU.sparse.size", b"8"), (b"GNU.sparse.numblocks", b"1"),
                            (b"GNU.sparse.numbytes", b"3"), (b"GNU.sparse.offset", b"2")) + file(b"abc") + END,
    "sparse-0.1-count": pax((b"GNU.sparse.size", b"8"), (b"GNU.sparse.numblocks", b"3"),
                            (b"GNU.sparse.map", b"2,2,5,1")) + file(b"abc") + END,
    "sparse-0.1-odd": pax((b"GNU.sparse.size", b"8"), (b"GNU.sparse.numblocks", b"2"),
                          (b"GNU.sparse.map", b"2,2,5")) + file(b"abc") + END,
    "sparse-0.1-text": pax((b"GNU.sparse.size", b"8"), (b"GNU.sparse.numblocks", b"2"),
                           (b"GNU.sparse.map", b"2,2,,1")) + file(b"abc") + END,
    "sparse-both-maps": pax((b"GNU.sparse.size", b"8"), (b"GNU.sparse.numblocks", b"2"), (b"GNU.sparse.map", b"0,1"),
                            (b"GNU.sparse.offset", b"2"), (b"GNU.sparse.numbytes", b"2")) + file(b"abc") + END,
    "sparse-1.0-ten-million": pax(*SPARSE_1_0, (b"GNU.sparse.realsize", b"8")) + file(pad(b"10000000\n0\n1\n")) + END,
    "sparse-1.0-endless-number": pax(*SPARSE_1_0, (b"GNU.sparse.realsize", b"8")) + file(b"1" * 512) + END,
    "sparse-1.0-cut": pax(*SPARSE_1_0, (b"GNU.sparse.realsize", b"8")) + file(pad(b"2\n2\n2\n5\n1" + b"0" * 503)[:512]) + END,
    "sparse-1.0-no-map": pax(*SPARSE_1_0, (b"GNU.sparse.realsize", b"8")) + file(b"abc") + END,
    "sparse-1.0-two-sizes": pax(*SPARSE_1_0, (b"GNU.sparse.realsize", b"8"), (b"GNU.sparse.size", b"9")) +
    file(pad(b"1\n2\n2\n") + b"ab") + END,
}

for kind, archives in (("good", good), ("bad", bad)):
    for name, data in archives.items():
        with open(os.path.join(sys.argv[1] if len(sys.argv) > 1 else HERE, f"{kind}-{name}.tar"), "wb") as out:
            out.write(data)
