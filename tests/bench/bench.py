#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench - how fast cooper is beside the peers that are installed.

    bench.py [--runs N] [--json FILE] [--only NAME;...] [--cooper PATH] [--work DIR]

Each row is one piece of work, done by cooper and by a peer in turn (A B A B ...), so that a noisy machine is
noisy for both.  Printed are the medians of wall time, processor time and peak memory (of the largest process),
and the median of the ratios pair by pair.  Nothing is judged here.

Needs: umoci, docker-registry, and as peers buildah and skopeo (Debian's); run it as root.
"""
import argparse, json, os, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Bench:
    def __init__(self, args):
        self.cooper = os.path.abspath(args.cooper)
        self.measure = os.path.join(os.path.dirname(self.cooper), "tests/bench/measure")
        self.runs = args.runs
        self.only = set(args.only.split(";")) if args.only else None
        self.work = os.path.abspath(args.work)
        os.makedirs(self.work, exist_ok=True)
        self.port = free_port()
        self.host = f"localhost:{self.port}"
        self.rows = []
        self.env = dict(os.environ, COOPER_ROOT=self.work + "/store", BENCH_REGISTRY=self.host,
                        HOME=self.work + "/home", LC_ALL="C", TZ="UTC")
        os.makedirs(self.env["HOME"], exist_ok=True)
        self.storage = ["--root", self.work + "/buildah", "--runroot", self.work + "/buildah-run"]

    # --- the registry, with the base images ------------------------------------------------------

    def start_registry(self):
        config = self.work + "/registry.yml"
        shutil.rmtree(self.work + "/registry", ignore_errors=True)
        with open(config, "w") as f:
            f.write("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                    f"storage: {{filesystem: {{rootdirectory: {self.work}/registry}}, delete: {{enabled: true}}}}\n"
                    f"http: {{addr: '127.0.0.1:{self.port}'}}\n")
        self.registry = subprocess.Popen(["docker-registry", "serve", config], stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.05)
        for name, tag in (("busybox", "latest"), ("debian", "bookworm")):
            layout = subprocess.run(["sh", HERE + "/../e2e/base-images", self.work + "/images", name],
                                    check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
            subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{layout}:latest",
                            f"docker://{self.host}/library/{name}:{tag}"], check=True)

    def stop_registry(self):
        self.registry.send_signal(signal.SIGTERM)
        self.registry.wait()

    # --- measuring -------------------------------------------------------------------------------

    def time(self, argv):
        # by a small program: a child of this one would be charged with this one's memory and its slow start
        figures = self.work + "/figures"
        p = subprocess.run([self.measure, figures, *argv], env=self.env,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.work)
        if p.returncode != 0:
            sys.exit(f"bench: {' '.join(argv)}: status {p.returncode}\n{p.stderr.decode(errors='replace')[-2000:]}")
        wall, user, system, rss = open(figures).read().split()
        return {"wall": float(wall), "cpu": float(user) + float(system), "rss": int(rss) / 1024}

    def row(self, name, ours, peer=None, peer_name="", before=None, before_peer=None):
        if self.only and name not in self.only:
            return
        a, b = [], []
        for i in range(self.runs + 1):
            if before: before()
            x = self.time(ours)
            y = None
            if peer:
                if before_peer: before_peer()
                y = self.time(peer)
            if i == 0 and self.runs > 1:
                continue  # warm-up
            a.append(x)
            if y: b.append(y)
        med = lambda rows, key: statistics.median(r[key] for r in rows)
        row = {"name": name, "cooper": {k: med(a, k) for k in ("wall", "cpu", "rss")}}
        line = (f"{name:34} {row['cooper']['wall']*1000:9.1f} ms {row['cooper']['cpu']*1000:8.1f} ms "
                f"{row['cooper']['rss']:6.1f} MiB")
        if b:
            row["peer"] = dict({k: med(b, k) for k in ("wall", "cpu", "rss")}, name=peer_name)
            row["ratio"] = statistics.median(x["wall"] / y["wall"] for x, y in zip(a, b))
            line += (f"   {peer_name:8} {row['peer']['wall']*1000:9.1f} ms {row['peer']['cpu']*1000:8.1f} ms "
                     f"{row['peer']['rss']:6.1f} MiB   x{row['ratio']:.3f}")
        print(line, flush=True)
        self.rows.append(row)

    # --- the work --------------------------------------------------------------------------------

    def build(self, context, *more):
        return [self.cooper, "build", "-q", "-t", "bench:1", *more, f"{self.work}/inputs/{context}"]

    def buildah(self, context, *more):
        if not shutil.which("buildah"):
            return None
        return ["buildah", *self.storage, "bud", "-q", "--layers", "--tls-verify=false", "--network=host",
                "--runtime", shutil.which("runc") or "/usr/sbin/runc", "--ulimit", "nofile=1024:1024", *more, "-t", "bench:1", f"{self.work}/inputs/{context}"]

    def forget(self):
        with open("/proc/self/mounts") as f:
            mounts = [line.split()[1] for line in f]
        for mount in sorted((m for m in mounts if m.startswith(self.work + "/buildah")), reverse=True):
            subprocess.run(["umount", "-l", mount], check=False)
        for path in ("store", "buildah", "buildah-run"):
            subprocess.run(["rm", "-rf", f"{self.work}/{path}"], check=False)

    def change(self):
        with open(self.work + "/inputs/ctx-small/src/d00/m000/f00000.c", "a") as f:
            f.write(f"// {time.monotonic_ns()}\n")

    def run(self):
        subprocess.run([sys.executable, HERE + "/inputs.py", self.work + "/inputs", "small", "run", "layer", "tree"],
                       check=True, env=self.env)
        wants = lambda n: not self.only or n in self.only
        skopeo = shutil.which("skopeo")
        src = f"{self.host}/library/debian:bookworm"

        self.row("version", [self.cooper, "version"], skopeo and ["skopeo", "--version"], "skopeo")
        self.row("build 50 x RUN true, no cache", self.build("ctx-run50", "--no-cache"),
                 self.buildah("ctx-run50", "--no-cache"), "buildah")
        self.row("build 50 x RUN true, debian", self.build("ctx-run50-debian", "--no-cache"))
        self.row("build 50 x RUN true, cached", self.build("ctx-run50"), self.buildah("ctx-run50"), "buildah")
        self.row("build small, cold", self.build("ctx-small"), self.buildah("ctx-small"), "buildah",
                 before=self.forget)
        self.row("build small, no cache", self.build("ctx-small", "--no-cache"),
                 self.buildah("ctx-small", "--no-cache"), "buildah")
        self.row("build small, cached", self.build("ctx-small"), self.buildah("ctx-small"), "buildah")
        self.row("build small, one line changed", self.build("ctx-small"), self.buildah("ctx-small"), "buildah",
                 before=self.change)
        self.row("COPY 50,000 files, 500 MB", self.build("ctx-tree50k", "--no-cache"))
        self.row("COPY 50,000 files, cached", self.build("ctx-tree50k"))
        self.row("COPY 1 GiB, gzip default", self.build("ctx-layer1g", "--no-cache"))
        self.row("COPY 1 GiB, gzip fast", self.build("ctx-layer1g", "--no-cache", "-o",
                                                     "type=image,compression-level=fast"))
        self.row("COPY 1 GiB, zstd", self.build("ctx-layer1g", "--no-cache", "-o", "type=image,compression=zstd"))
        self.row("pull 60 MB", [self.cooper, "pull", "-q", src],
                 skopeo and ["skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{src}",
                             f"dir:{self.work}/pulled"], "skopeo", before=self.forget,
                 before_peer=lambda: shutil.rmtree(self.work + "/pulled", ignore_errors=True))
        if wants("push 60 MB"):
            subprocess.run([self.cooper, "pull", "-q", src], env=self.env, check=True)
            subprocess.run([self.cooper, "tag", src, f"{self.host}/pushed:1"], env=self.env, check=True)
            subprocess.run(["skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{src}",
                            f"dir:{self.work}/pulled"], check=True)

            def empty():
                self.stop_registry()
                shutil.rmtree(self.work + "/registry", ignore_errors=True)
                self.restart()

            self.row("push 60 MB", [self.cooper, "push", "-q", f"{self.host}/pushed:1"],
                     skopeo and ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"dir:{self.work}/pulled",
                                 f"docker://{self.host}/pushed:2"], "skopeo", before=empty, before_peer=empty)

    def restart(self):
        self.registry = subprocess.Popen(["docker-registry", "serve", self.work + "/registry.yml"],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--json")
    p.add_argument("--only")
    p.add_argument("--cooper", default=os.environ.get("builddir", "_build") + "/cooper")
    p.add_argument("--work", default=os.path.join(tempfile.gettempdir(), "cooper-bench"))
    args = p.parse_args()
    b = Bench(args)
    b.start_registry()
    try:
        b.run()
    finally:
        b.stop_registry()
    if args.json:
        with open(args.json, "w") as f:
            json.dump(b.rows, f, indent=2)


main()
