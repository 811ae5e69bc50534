#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

# images OCI|DOCKER DIR [LAYER-TEXT...]: a layout with an index "latest" for amd64 and arm64, each with an
# attestation, and each under its own name; a layer for each text
images() {
	python3 - "$@" <<'PY'
import gzip, hashlib, io, json, os, sys, tarfile
kind, d, *texts = sys.argv[1:]
docker = kind == "DOCKER"
types = {"layer": "application/vnd.docker.image.rootfs.diff.tar.gzip", "config": "application/vnd.docker.container.image.v1+json",
    "manifest": "application/vnd.docker.distribution.manifest.v2+json", "index": "application/vnd.docker.distribution.manifest.list.v2+json"} if docker else {
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip", "config": "application/vnd.oci.image.config.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json", "index": "application/vnd.oci.image.index.v1+json"}
os.makedirs(d + "/blobs/sha256", exist_ok=True)
def put(data, kind):
    if not isinstance(data, bytes): data = json.dumps(data).encode()
    h = hashlib.sha256(data).hexdigest()
    open(f"{d}/blobs/sha256/{h}", "wb").write(data)
    return {"mediaType": types[kind], "digest": "sha256:" + h, "size": len(data)}
def manifest(config, layers):
    return put({"schemaVersion": 2, "mediaType": types["manifest"], "config": config, "layers": layers}, "manifest")
layers, diffs = [], []
for n, text in enumerate(texts):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as t:
        for name in text.split():
            i = tarfile.TarInfo(name)
            if name.endswith("/"): i.type = tarfile.DIRTYPE; i.mode = 0o755; t.addfile(i)
            else: i.size = len(name); t.addfile(i, io.BytesIO(name.encode()))
    layers.append(put(gzip.compress(raw.getvalue(), mtime=0), "layer"))
    diffs.append("sha256:" + hashlib.sha256(raw.getvalue()).hexdigest())
rows, names = [], []
def name(row, text):
    names.append(dict(row, annotations={"org.opencontainers.image.ref.name": text}))
for arch in "amd64", "arm64":
    config = {"architecture": arch, "os": "linux", "created": "2020-01-01T00:00:00Z", "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"], "x-unknown": 1},
        "rootfs": {"type": "layers", "diff_ids": diffs}, "history": [{"created": "2020-01-01T00:00:00Z", "created_by": f"layer {i}"} for i in texts]}
    m = manifest(put(config, "config"), layers)
    name(m, arch)
    rows.append(dict(m, platform={"os": "linux", "architecture": arch}))
if not docker:
    for m in rows[:2]:
        a = manifest(put({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}, "config"), [])
        rows.append(dict(a, platform={"os": "unknown", "architecture": "unknown"}, annotations={
            "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": m["digest"]}))
name(put({"schemaVersion": 2, "mediaType": types["index"], "manifests": rows}, "index"), "latest")
open(d + "/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": names}))
open(d + "/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
PY
}

# platforms NAME: of what an index names
platforms() {
	prog manifest "$1" | python3 -c 'import json, sys
for m in json.load(sys.stdin)["manifests"]:
    p = m.get("platform", {}); print("/".join(filter(None, [p.get("os"), p.get("architecture"), p.get("variant")])))' | tr '\n' ' '
}

@test "index makes one of images, adds, annotates and removes, and their attestations go along" {
	registry_start
	images OCI in "a b"
	works prog index create "docker://$REGISTRY/a:1" oci:in:amd64 oci:in:arm64
	same "$(platforms "$REGISTRY/a:1")" "linux/amd64 linux/arm64 "
	stdout_is "$REGISTRY/a:1@$(prog digest "$REGISTRY/a:1")"
	works skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/a:1"
	works prog index create --platform linux/arm64 -a key=value "$REGISTRY/b:1" oci:in:latest
	same "$(platforms "$REGISTRY/b:1")" "linux/arm64 unknown/unknown "
	works prog index add "$REGISTRY/b:1" "$REGISTRY/a:1"
	same "$(platforms "$REGISTRY/b:1")" "linux/arm64 unknown/unknown linux/amd64 "
	works prog index annotate --variant v9 --os-feature f -a x=y "$REGISTRY/b:1" linux/amd64
	works prog index annotate -a more=1 -a key- --format json "$REGISTRY/b:1"
	stdout_has '"mediaType":"application/vnd.oci.image.index.v1+json"'
	works prog manifest "$REGISTRY/b:1"
	stdout_has '"os.features": ['
	stdout_has '"more": "1"'
	stdout_lacks '"key": "value"'
	works prog index remove --dst "$REGISTRY/b:2" "$REGISTRY/b:1" linux/arm64
	same "$(platforms "$REGISTRY/b:2")" "linux/amd64/v9 "
	same "$(platforms "$REGISTRY/b:1")" "linux/arm64 unknown/unknown linux/amd64/v9 "
	fails 4 prog index remove "$REGISTRY/b:2" linux/s390x
	stderr_has "only linux/amd64/v9"
	fails 4 prog index add "$REGISTRY/b:2" oci:nowhere
	fails 2 prog index turn "$REGISTRY/b:2"
}

@test "index does not mix Docker's documents with OCI's" {
	images OCI oci "a"
	images DOCKER docker "a"
	works prog index create oci:out:1 oci:docker:amd64 oci:docker:arm64
	works cat "out/blobs/sha256/$(sed s/sha256:// "$T/stdout")"
	stdout_has manifest.list.v2
	fails 3 prog index create oci:out:2 oci:oci:amd64 oci:docker:arm64
	stderr_has "'--oci'"
	fails 3 prog index create -a a=b oci:out:2 oci:docker:amd64
	works prog index create --oci oci:out:2 oci:oci:amd64 oci:docker:arm64
	works skopeo inspect --raw oci:out:2
	stdout_lacks docker
	works skopeo copy --override-arch arm64 oci:out:2 oci:skopeo:2
}

# config PLACE NAME ARCH: of an image of a layout
config() {
	python3 - "$@" <<'PY'
import json, sys
d, name, arch = sys.argv[1:]
blob = lambda x: json.load(open(f"{d}/blobs/sha256/" + x["digest"].split(":")[1]))
index = [m for m in json.load(open(d + "/index.json"))["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == name]
rows = [m for m in blob(index[0])["manifests"] if m["platform"]["architecture"] == arch]
print(json.dumps(blob(blob(rows[0])["config"]), sort_keys=True))
PY
}

@test "label, annotate and mutate change all images of an index, and nothing where nothing differs" {
	images OCI in "a b"
	works prog label -l a=b oci:in:latest --dst oci:out:1
	stderr_has "left out 2 attestations of images as they were before"
	digest=$(cat "$T/stdout")
	works config out 1 arm64
	stdout_has '"created": "2023-11-14T22:13:20Z"'
	stdout_has '{"comment": "cooper", "created": "2023-11-14T22:13:20Z", "created_by": "LABEL a=b", "empty_layer": true}'
	stdout_has '"x-unknown": 1'
	works prog label -l a=b -l c- oci:out:1
	stdout_is "$digest"
	works prog mutate --timestamp 0 -e X=1 --cmd '' --entrypoint /a --entrypoint b --user me -w /w --exposed-port 80 --volume /v oci:out:1
	works config out 1 amd64
	stdout_has '"config": {"Entrypoint": ["/a", "b"], "Env": ["PATH=/bin", "X=1"], "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}, "User": "me", "Volumes": {"/v": {}}, "WorkingDir": "/w", "x-unknown": 1}'
	stdout_has '"created": "1970-01-01T00:00:00Z"'
	works prog annotate -a k=v oci:out:1
	works prog mutate --set-platform linux/s390x --platform linux/arm64 oci:out:1 --dst oci:out:2
	works skopeo --override-arch s390x inspect oci:out:2
	stdout_has '"Architecture": "s390x"'
	works skopeo inspect --raw oci:out:2
	stdout_has '"k": "v"'
	works prog copy --platform linux/arm64 oci:in:latest dir:files
	works prog label -l in=dir dir:files
	works skopeo --override-arch arm64 inspect dir:files
	stdout_has '"in": "dir"'
	works prog copy oci:in:latest oci-archive:in.tar:1
	works prog label -l in=archive oci-archive:in.tar
	works skopeo inspect oci-archive:in.tar:1
	stdout_has '"in": "archive"'
	fails 2 prog label --platform linux/arm64 -l a=b oci:out:1
	fails 2 prog mutate oci:out:1
	fails 2 prog label -l nothing oci:out:1
}

@test "a name at a registry goes on to mean the result, without moving layers, and a signature is missed aloud" {
	registry_start
	images DOCKER in "a b"
	works prog copy oci:in:latest "$REGISTRY/a:1"
	fails 3 prog annotate -a k=v "$REGISTRY/a:1"
	stderr_has "'--oci'"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem 2>/dev/null
	works prog sign --key key.pem "$REGISTRY/a:1"
	registry_mark
	works prog mutate --oci -a k=v -l a=b --format json "$REGISTRY/a:1"
	stderr_has "the signature stays with sha256:"
	stdout_has "\"name\":\"$REGISTRY/a:1@$(prog digest "$REGISTRY/a:1")\""
	same "$(registry_requests | grep -c 'POST\|PATCH')" 2 # the configs
	works prog manifest "$REGISTRY/a:1"
	stdout_lacks docker
	works prog label -l a=c "$REGISTRY/a:1" --dst "$REGISTRY/b:2"
	works skopeo inspect --tls-verify=false "docker://$REGISTRY/b:2"
	stdout_has '"a": "c"'
	digest=$(prog digest "$REGISTRY/b:2")
	works prog label -l x=y "$REGISTRY/b@$digest"
	same "$(prog digest "$REGISTRY/b:2")" "$digest"
}

@test "append puts layers on a base that is mounted, and rebase puts them on another one" {
	registry_start
	images OCI in "base-1 etc/ etc/one"
	images OCI new "base-2 etc/ etc/two" "more"
	works prog copy oci:in:latest "$REGISTRY/base:1"
	works prog copy oci:new:latest "$REGISTRY/base:2"
	mkdir app
	echo hello >app/file
	tar --sort=name --mtime=@0 --owner=0 --group=0 -cf app.tar app
	gzip -n <app.tar >app.tar.gz
	registry_mark
	works prog append "$REGISTRY/base:1" app.tar.gz --dst "$REGISTRY/app:1"
	same "$(registry_requests | grep -c 'POST.*mount=sha256')" 1
	works prog manifest "$REGISTRY/app@$(prog manifest "$REGISTRY/app:1" | grep -o -m1 'sha256:[0-9a-f]*')"
	stdout_has "sha256:$(sha256sum <app.tar.gz | cut -d' ' -f1)"
	works prog append "$REGISTRY/base:1" - --dst oci:out:plain <app.tar
	works prog append --compression zstd --platform linux/amd64 -m text "$REGISTRY/base:1" app.tar --dst oci:out:zstd
	works skopeo copy oci:out:zstd dir:zstd
	works prog copy --platform linux/amd64 oci:out:plain oci:one:plain
	works umoci unpack --rootless --image one:plain bundle
	same "$(cat bundle/rootfs/app/file bundle/rootfs/base-1)" "hello
base-1"
	fails 6 prog append oci:out:zstd app/file
	fails 3 prog append oci:out:zstd /dev/null
	fails 2 prog rebase "$REGISTRY/app:1"
	stderr_has "--old-base"
	fails 3 prog rebase --old-base "$REGISTRY/base:2" --new-base "$REGISTRY/base:1" "$REGISTRY/app:1"
	stderr_has "layer 1 of 2 is another"
	works prog annotate -a "org.opencontainers.image.base.name=$REGISTRY/base:2" \
		-a "org.opencontainers.image.base.digest=$(prog digest "$REGISTRY/base:1")" "$REGISTRY/app:1"
	works prog rebase "$REGISTRY/app:1" --dst oci:out:rebased
	works prog copy --platform linux/amd64 oci:out:rebased oci:one:1
	works umoci unpack --rootless --image one:1 bundle-2
	same "$(cd bundle-2/rootfs && find . -type f | sort | tr '\n' ' ')" "./app/file ./base-2 ./etc/two ./more "
	works config out rebased arm64
	stdout_has '"created_by": "cooper append app.tar.gz"'
	works skopeo --override-arch arm64 copy oci:out:rebased oci:skopeo:1
	digest=$(prog copy oci:out:rebased oci:same:1)
	works prog rebase oci:out:rebased
	stdout_is "$digest"
}

@test "flatten and squash make one layer of many, the same each time" {
	registry_start
	images OCI in "d/ d/one two" "d/.wh.one d/three" ".wh.two four"
	works prog copy oci:in:latest "$REGISTRY/a:1"
	works prog flatten "$REGISTRY/a:1" oci:out:flat
	works prog flatten oci:in:latest --dst "$REGISTRY/a:flat"
	same "$(prog digest "$REGISTRY/a:flat")" "$(prog copy oci:out:flat oci:again:1)"
	works prog copy --platform linux/amd64 oci:out:flat oci:one:1
	works umoci unpack --rootless --image one:1 bundle
	same "$(cd bundle/rootfs && find . -type f | sort | tr '\n' ' ')" "./d/three ./four "
	works config out flat amd64
	stdout_has '"created_by": "cooper flatten: 3 layers"}'
	registry_mark
	works prog squash --last 2 "$REGISTRY/a:1" "$REGISTRY/b:1"
	same "$(registry_requests | grep -c 'POST.*mount=sha256')" 1
	works prog copy "$REGISTRY/b:1" oci:out:squashed
	works prog copy --platform linux/arm64 oci:out:squashed oci:one:2
	works umoci unpack --rootless --image one:2 bundle-2
	same "$(cd bundle-2/rootfs && find . -type f | sort | tr '\n' ' ')" "./d/three ./four "
	works skopeo inspect oci:one:2
	same "$(grep -c '^  *"sha256:' "$T/stdout")" 2
	fails 2 prog squash "$REGISTRY/a:1"
	fails 2 prog squash --last 4 "$REGISTRY/a:1"
	works prog flatten "$REGISTRY/a:flat"
	stdout_is "$REGISTRY/a:flat@$(prog copy oci:out:flat oci:again:2)"
}

@test "sync copies a list, only what differs, and goes on after a failure" {
	registry_start
	images OCI in a
	images OCI new b
	for tag in 1.1 1.2 1.3-rc latest; do
		works prog copy oci:in:latest "$REGISTRY/team/app:$tag"
	done
	works prog copy oci:in:latest "$REGISTRY/team/other:1.2"
	works prog copy oci:in:latest "$REGISTRY/else:1"
	cat >list <<-EOF
		# tags by version
		$REGISTRY/team/app  $REGISTRY/copy  semver=>=1.1,<2 not=1.1
		$REGISTRY/team/app:latest oci:out:latest platform=linux/arm64
		$REGISTRY/none:1 $REGISTRY/none:2
		oci:new:latest $REGISTRY/new:1
		oci:in:latest $REGISTRY/new:1
	EOF
	fails 4 prog sync --dry-run list
	same "$(prog tags "$REGISTRY/copy" 2>&1 | grep -c 1.2)" 0
	is_missing out
	fails 4 prog sync list
	stderr_has "2 of 5 failed"
	stdout_has "copied      $REGISTRY/team/app:1.2  $REGISTRY/copy:1.2  sha256:"
	stdout_has "failed      $REGISTRY/none:1"
	stdout_has "another one has the same target"
	same "$(prog tags "$REGISTRY/copy")" 1.2
	works skopeo --override-arch arm64 inspect oci:out:latest
	sed -i '/none/d; /in:latest/d' list
	works prog sync --format json - <list
	same "$(grep -c '"status": "same"' "$T/stdout")" 3
	works prog sync "$REGISTRY/team/*" "$REGISTRY/mirror" 'tags=1.*' -j 2
	same "$(prog tags "$REGISTRY/mirror/app" | tr '\n' ' ')$(prog tags "$REGISTRY/mirror/other")" "1.1 1.2 1.3-rc 1.2"
	fails 3 prog sync oci:in:latest "$REGISTRY/team/app@sha256:$(printf %064d 0)"
	stderr_has "what came out is sha256:"
	fails 3 prog sync list list tags='*' nonsense
}

@test "an image of the store is copied and edited by the name store:" {
	images OCI in a
	works prog copy oci:in:latest store:app:1
	digest=$(cat "$T/stdout")
	works prog label -l a=b store:app:1
	differ "$(cat "$T/stdout")" "$digest"
	works prog inspect --format '{{index .Config.Labels "a"}}' app:1
	stdout_is b
	id=$(prog images -q)
	fails 2 prog label -l a=c "store:$id"
	works prog flatten "store:$id" oci:out:1
	works prog annotate -a k=v oci:out:1 --dst store:app:2
	same "$(prog ls store:app:2)" "$(prog ls oci:out:1)"
	works prog check
	# layers of a base that stayed at their registry
	registry_start
	works prog copy oci:in:latest "$REGISTRY/base:1"
	printf 'FROM %s\nLABEL x=y\n' "$REGISTRY/base:1" >Dockerfile
	works prog build -q -t meta .
	works prog label -l a=b store:meta
	works prog copy store:meta oci:out:meta
	works skopeo copy oci:out:meta dir:skopeo
	fails 4 prog copy store:none oci:out:2
	fails 2 prog index create oci:out:3 store:app:2
	stderr_has "copy it to a layout or a registry first"
}
