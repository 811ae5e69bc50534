#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Deterministic benchmark inputs.  inputs.py DIR [small|run|layer|tree ...]  writes:
  DIR/ctx-small    Dockerfile + src/: 2000 files, 20 MB  (10-instruction, 2-stage Dockerfile)
  DIR/ctx-tree50k  Dockerfile + tree/: 50000 files, 500 MB (FROM scratch-like base, one COPY)
  DIR/ctx-layer1g  Dockerfile + data/: 1 GiB of mixed compressibility (64 files of 16 MiB)
  DIR/ctx-run50    Dockerfile: FROM busybox + 50 x RUN true
Same bytes, names, modes and mtimes on every run (own xorshift generator, no time, no host data)."""
import os, sys, struct
out = os.path.abspath(sys.argv[1])
MT = 1700000000
M = (1 << 64) - 1
class Rng:
    def __init__(s, seed): s.s = (seed * 0x9E3779B97F4A7C15 + 1) & M or 1
    def next(s):
        x = s.s; x ^= (x << 13) & M; x ^= x >> 7; x ^= (x << 17) & M; s.s = x; return x
    def below(s, n): return s.next() % n
import hashlib
def rnd_bytes(seed, n):            # incompressible: SHAKE-256 keystream
    return hashlib.shake_256(struct.pack('<Q', seed)).digest(n)
WORDS = None
def words():
    global WORDS
    if WORDS is None:
        r = Rng(7); syl = ['ab','con','de','ex','in','re','pro','ta','ti','on','er','st','le','mo','un','ra','si','ve','co','po','lo','ne','di','ca']
        WORDS = [''.join(syl[r.below(len(syl))] for _ in range(1 + r.below(4))) for _ in range(4096)]
    return WORDS
POOL = None
def text_pool():                   # 4 MiB of source-like text, gzip ratio about 3.5-4
    global POOL
    if POOL is None:
        r = Rng(11); w = words(); o = []; n = 0; ind = 0
        while n < (4 << 20):
            k = r.below(10)
            if k == 0: ind = min(ind + 1, 5)
            if k == 1 and ind: ind -= 1
            line = '\t' * ind + ' '.join(w[min(r.below(4096), r.below(4096), r.below(4096))] for _ in range(2 + r.below(9)))
            if r.below(3) == 0: line += ' = 0x%x;' % (r.next() >> 40)
            line += '\n'; o.append(line); n += len(line)
        POOL = ''.join(o).encode()[:4 << 20]
    return POOL
def text(seed, n):
    p = text_pool(); r = Rng(seed); o = bytearray(b'// %d\n' % seed)
    while len(o) < n:
        a = r.below(len(p) - 4096); b = 200 + r.below(3000); o += p[a:a + b]
    return bytes(o[:n])
def put(path, data, mode=0o644):
    with open(path, 'wb') as f: f.write(data)
    os.chmod(path, mode); os.utime(path, (MT, MT))
def tree(root, nfiles, total, seed, per_dir):
    r = Rng(seed); raw = [1 + (r.below(1000) ** 3) // 1000000 for _ in range(nfiles)]  # skewed sizes: many small, few large
    s = sum(raw); dirs = []
    for i, x in enumerate(raw):
        d = i // per_dir
        p = os.path.join(root, 'd%02d' % (d % 17), 'm%03d' % d)
        if not dirs or dirs[-1] != p:
            os.makedirs(p, exist_ok=True); dirs.append(p)
        n = max(16, x * total // s)
        data = rnd_bytes(seed * 1000003 + i, n) if i % 7 == 3 else text(seed * 1000003 + i, n)
        put(os.path.join(p, 'f%05d.%s' % (i, ('c', 'h', 'js', 'bin', 'md', 'py', 'json')[i % 7])), data, 0o755 if i % 31 == 0 else 0o644)
    for dp, dn, fn in os.walk(root, topdown=False):
        os.chmod(dp, 0o755); os.utime(dp, (MT, MT))
def dockerfile(d, s): 
    os.makedirs(d, exist_ok=True); put(os.path.join(d, 'Dockerfile'), s.encode())
R = os.environ.get('BENCH_REGISTRY', 'localhost:5000') + '/library/'
SMALL = f'''FROM {R}debian:bookworm AS build
ENV LANG=C.UTF-8 APP=/srv/app
WORKDIR /srv/app
COPY src/ ./src/
RUN echo building > build.log
RUN find src -type f | wc -l > count.txt
RUN mkdir -p out && tar -C src -cf out/src.tar .
RUN sha256sum out/src.tar > out/src.sha256

FROM {R}debian:bookworm
WORKDIR /app
COPY --from=build /srv/app/out/ /app/
COPY --from=build /srv/app/count.txt /app/
RUN cat count.txt > /etc/app-count
CMD ["cat", "/app/count.txt"]
'''
def gen_small():
    d = out + '/ctx-small'; dockerfile(d, SMALL); tree(d + '/src', 2000, 20 << 20, 3, 40)
def gen_tree():
    d = out + '/ctx-tree50k'; dockerfile(d, f'FROM {R}busybox:latest\nCOPY tree/ /tree/\n'); tree(d + '/tree', 50000, 500 * 1000 * 1000, 5, 50)
def gen_layer():
    d = out + '/ctx-layer1g'; dockerfile(d, f'FROM {R}busybox:latest\nCOPY data/ /data/\n')
    os.makedirs(d + '/data', exist_ok=True); B = 16 << 20
    for i in range(64):
        k = i % 4
        if k in (0, 1): data = text(90000 + i, B)                       # 50 % text
        elif k == 2: data = rnd_bytes(90000 + i, B)                       # 25 % incompressible
        else:                                                             # 25 % binary-like: 16-byte records, low entropy columns
            r = Rng(90000 + i); n = B // 16; a = bytearray(B)
            a[0::16] = bytes((j >> 8) & 255 for j in range(n)); a[1::16] = rnd_bytes(i, n); a[2::16] = bytes(b & 15 for b in rnd_bytes(i + 1000, n)); a[4::16] = rnd_bytes(i + 2000, n); a[8::16] = bytes(b & 3 for b in rnd_bytes(i + 3000, n))
            data = bytes(a)
        put(d + '/data/blob%02d.dat' % i, data)
    os.utime(d + '/data', (MT, MT))
def gen_run():
    dockerfile(out + '/ctx-run50', f'FROM {R}busybox:latest\n' + 'RUN true\n' * 50)
    dockerfile(out + '/ctx-run1', f'FROM {R}busybox:latest\n' + 'RUN true\n')
    dockerfile(out + '/ctx-run50-debian', f'FROM {R}debian:bookworm\n' + 'RUN true\n' * 50)
which = sys.argv[2:] or ['small', 'run', 'layer', 'tree']
os.makedirs(out, exist_ok=True)
for w in which: {'small': gen_small, 'tree': gen_tree, 'layer': gen_layer, 'run': gen_run}[w]()
