#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load helpers

# an image of some bytes in a layout, made without anybody else's program
layout_make() { # layout_make DIR TEXT
	python3 - "$1" "$2" <<'PY'
import gzip, hashlib, io, json, os, sys, tarfile
d, text = sys.argv[1:]
os.makedirs(d + "/blobs/sha256")
def put(data, kind):
    h = hashlib.sha256(data).hexdigest()
    open(f"{d}/blobs/sha256/{h}", "wb").write(data)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": "sha256:" + h, "size": len(data)}
def image(arch):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as t:
        i = tarfile.TarInfo("file"); i.size = len(text); t.addfile(i, io.BytesIO(text.encode()))
    layer = put(gzip.compress(raw.getvalue(), mtime=0), "layer.v1.tar+gzip")
    diff = "sha256:" + hashlib.sha256(raw.getvalue()).hexdigest()
    config = put(json.dumps({"architecture": arch, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff]}}).encode(), "config.v1+json")
    m = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer]}).encode(), "manifest.v1+json")
    m["platform"] = {"os": "linux", "architecture": arch}
    return m
index = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [image("amd64"), image("arm64")]}).encode(), "index.v1+json")
index["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
open(d + "/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": [index]}))
open(d + "/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
print(index["digest"])
PY
}

@test "copy goes from a layout to a registry, to another repository, and back, to the bit" {
	registry_start
	digest=$(layout_make in text)
	works prog copy oci:in:latest "docker://$REGISTRY/a/b:1"
	stdout_is "$REGISTRY/a/b:1@$digest"
	works prog copy "$REGISTRY/a/b:1" "$REGISTRY/c/d:2"
	stdout_is "$REGISTRY/c/d:2@$digest"
	works prog copy "$REGISTRY/c/d@$digest" oci:out:again
	stdout_is "$digest"
	same "$(cd in/blobs/sha256 && ls)" "$(cd out/blobs/sha256 && ls)"
	works prog copy oci:out:again oci-archive:out.tar:again
	works prog copy oci-archive:out.tar:again dir:plain
	works skopeo copy -q --insecure-policy --all dir:plain oci:seen:1
	works skopeo copy -q --insecure-policy --all oci:seen:1 dir:written
	works prog copy dir:written "$REGISTRY/d:1"
	same "$(prog digest "$REGISTRY/d:1")" "$digest"
	works prog copy oci-archive:out.tar:again "$REGISTRY/e:3"
	same "$(prog digest "$REGISTRY/e:3")" "$digest"
}

@test "copy of one platform, and what docker load reads" {
	registry_start
	digest=$(layout_make in text)
	works prog copy --platform linux/arm64 oci:in:latest "$REGISTRY/a:arm"
	differ "$(prog digest "$REGISTRY/a:arm")" "$digest"
	works prog copy --platform linux/amd64 oci:in:latest docker-archive:app.tar:app:1
	works tar -xOf app.tar manifest.json
	stdout_has '"RepoTags":["app:1"]'
	prog copy --platform linux/amd64 oci:in:latest docker-archive:-:app:1 >again.tar
	works cmp app.tar again.tar
	fails 4 prog copy --platform linux/s390x oci:in:latest "$REGISTRY/a:none"
	stderr_has "linux/arm64"
}

@test "a registry is asked for digests, manifests, tags and repositories" {
	registry_start
	digest=$(layout_make in text)
	works prog copy oci:in:latest "$REGISTRY/a/b:2"
	works prog copy "$REGISTRY/a/b:2" "$REGISTRY/a/b:1"
	works prog digest "$REGISTRY/a/b:1"
	stdout_is "$digest"
	works prog manifest "$REGISTRY/a/b:1"
	same "sha256:$(sha256sum <"$T/stdout" | cut -d' ' -f1)" "$digest"
	works prog tags "$REGISTRY/a/b"
	stdout_is "1
2"
	works prog repos "$REGISTRY"
	stdout_is a/b
	fails 4 prog tags "$REGISTRY/none"
	stderr_has "404 NAME_UNKNOWN"
	fails 2 prog delete "$REGISTRY/a/b"
	fails 5 prog delete "$REGISTRY/a/b:1"
	stderr_has "this registry deletes digests only"
	works prog delete "$REGISTRY/a/b@$digest"
	fails 4 prog digest "$REGISTRY/a/b:1"
	fails 3 prog copy oci:in:latest "$REGISTRY/UPPER:1"
	fails 4 prog copy oci:in:none "$REGISTRY/a:1"
}

@test "what is attached to an image is listed, and copied along" {
	registry_start
	digest=$(layout_make in text)
	works prog copy oci:in:latest "$REGISTRY/a:1"
	works prog referrers "$REGISTRY/a:1"
	stdout_is "[]"
	# cosign's way: an image under a tag that is made of the digest
	mkdir other
	(cd other && layout_make in signature >/dev/null)
	works prog copy --platform linux/amd64 oci:other/in:latest "$REGISTRY/a:sha256-${digest#sha256:}.sig"
	works prog copy --referrers "$REGISTRY/a:1" "$REGISTRY/b:1"
	works prog tags "$REGISTRY/b"
	stdout_has "sha256-${digest#sha256:}.sig"
	fails 2 prog copy --referrers oci:in:latest "$REGISTRY/a:1"
}

@test "files are kept at a registry, attached, listed and fetched" {
	registry_start
	layout_make in text >/dev/null
	works prog copy oci:in:latest "$REGISTRY/app:1"
	echo one >one.txt
	head -c 3000000 /dev/zero >two.bin
	works prog artifact push "$REGISTRY/data:1" one.txt:text/plain two.bin
	works prog manifest "$REGISTRY/data:1"
	stdout_has '"mediaType":"text/plain"'
	mkdir out
	works prog artifact pull -o out "$REGISTRY/data:1"
	stdout_is "one.txt
two.bin"
	works cmp one.txt out/one.txt
	works cmp two.bin out/two.bin
	echo '{}' >sbom.json
	works prog artifact push --subject "$REGISTRY/app:1" --artifact-type application/spdx+json "$REGISTRY/app" sbom.json
	stdout_has "$REGISTRY/app@sha256:"
	attached=$(cat "$T/stdout")
	works prog referrers --artifact-type application/spdx+json "$REGISTRY/app:1"
	stdout_has "${attached#*@}"
	works prog referrers --artifact-type application/other "$REGISTRY/app:1"
	stdout_is "[]"
	works prog copy --referrers "$REGISTRY/app:1" "$REGISTRY/moved:1"
	works prog referrers "$REGISTRY/moved:1"
	stdout_has "${attached#*@}"
	works prog artifact pull -o out "$REGISTRY/moved@${attached#*@}"
	stdout_is sbom.json
	fails 2 prog artifact push --subject "$REGISTRY/app:1" "$REGISTRY/other" sbom.json
	fails 4 prog artifact pull "$REGISTRY/none:1"
}

# evil_push TITLE NAME: an artifact at $REGISTRY/NAME whose file is called TITLE
evil_push() {
	rm -rf evil
	mkdir -p evil/blobs/sha256
	TITLE=$1 python3 - <<'PY'
import hashlib, json, os
def put(data, **more):
    h = hashlib.sha256(data).hexdigest()
    open("evil/blobs/sha256/" + h, "wb").write(data)
    return {"digest": "sha256:" + h, "size": len(data), **more}
config = put(b"{}", mediaType="application/vnd.oci.empty.v1+json")
layer = put(b"x", mediaType="text/plain", annotations={"org.opencontainers.image.title": os.environb[b"TITLE"].decode()})
m = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "a/b", "config": config, "layers": [layer]}).encode(), mediaType="application/vnd.oci.image.manifest.v1+json", annotations={"org.opencontainers.image.ref.name": "1"})
open("evil/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": [m]}))
open("evil/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
PY
	works prog copy oci:evil:1 "$REGISTRY/$2"
}

@test "a file name that leads elsewhere or moves the cursor is refused" {
	registry_start
	mkdir out
	evil_push ../../escaped evil:1
	fails 3 prog artifact pull -o out "$REGISTRY/evil:1"
	stderr_has "'../../escaped', which is refused"
	is_missing escaped
	is_missing ../escaped
	# in UTF-8: a control sequence begins, and text is turned around
	evil_push "$(printf 'a\302\2332Jb')" evil:2
	fails 3 prog artifact pull -o out "$REGISTRY/evil:2"
	evil_push "$(printf 'a\342\200\256gpj.sh')" evil:3
	fails 3 prog artifact pull -o out "$REGISTRY/evil:3"
	works ls -A out
	stdout_is_empty
	evil_push "$(printf 'gr\303\274n.txt')" good:1
	works prog artifact pull -o out "$REGISTRY/good:1"
	stdout_is "$(printf 'gr\303\274n.txt')"
}

@test "images are signed and verified with keys of each kind, in cosign's form" {
	needs openssl
	registry_start
	digest=$(layout_make in text)
	works prog copy oci:in:latest "$REGISTRY/a:1"
	works openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec
	works openssl genpkey -algorithm ED25519 -out ed
	works openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa
	for key in ec ed rsa; do
		works openssl pkey -in $key -pubout -out $key.pub
		fails 5 prog verify --key $key.pub "$REGISTRY/a:1"
		works prog sign --key $key "$REGISTRY/a:1"
		stdout_is "$REGISTRY/a:1@$digest"
		works prog verify --key $key.pub "$REGISTRY/a:1"
		stdout_has "\"docker-manifest-digest\":\"$digest\""
	done
	works prog verify --key ec.pub "$REGISTRY/a:1" # earlier ones stay
	# openssl agrees about the bytes
	works prog manifest "$REGISTRY/a:sha256-${digest#sha256:}.sig"
	python3 - "$T/stdout" <<'PY'
import base64, json, sys
layer = json.load(open(sys.argv[1]))["layers"][0]
open("signature", "wb").write(base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]))
PY
	prog verify --key ec.pub "$REGISTRY/a:1" | tr -d '\n' >payload
	works openssl dgst -sha256 -verify ec.pub -signature signature payload
	# a signature of one image is none of another, even under its tag
	mkdir other
	other=$(cd other && layout_make in other)
	works prog copy oci:other/in:latest "$REGISTRY/a:2"
	works prog copy "$REGISTRY/a:sha256-${digest#sha256:}.sig" "$REGISTRY/a:sha256-${other#sha256:}.sig"
	fails 5 prog verify --key ec.pub "$REGISTRY/a:2"
	stderr_has "the signature is of another image"
	works openssl pkey -in ec -aes256 -passout pass:word -out locked
	fails 3 prog sign --key locked "$REGISTRY/a:2"
	COSIGN_PASSWORD=word works prog sign --key locked "$REGISTRY/a:2"
	fails 3 prog verify --key in/oci-layout "$REGISTRY/a:1"
	fails 2 prog verify "$REGISTRY/a:1"
}

@test "auth explain says where credentials come from, and never a secret" {
	mkdir -p "$HOME/.docker"
	printf '{"auths":{"r.example":{"auth":"dXNlcjpzZWNyZXQ="}},"credHelpers":{"h.example":"none-such"}}' \
		>"$HOME/.docker/config.json"
	chmod 600 "$HOME/.docker/config.json"
	works prog auth explain r.example/a/b
	stdout_has "~/.docker/config.json: found 'r.example'"
	stdout_has "a password of user, from ~/.docker/config.json, 'r.example'"
	stdout_lacks secret
	works prog auth explain other.example/a
	stdout_has "nothing was found: anonymous"
	mkdir -p "$HOME/.config/containerd/certs.d/r.example"
	printf '[host."https://m.example:5000"]\n[host."https://m.example:5000".header]\nx-key = "secret"\n' \
		>"$HOME/.config/containerd/certs.d/r.example/hosts.toml"
	works prog auth explain r.example/a/b
	stdout_has "containerd/certs.d/r.example/hosts.toml: a mirror is m.example:5000"
	stdout_has "containerd/certs.d/r.example/hosts.toml: the registry is reached at r.example"
	stdout_has "a password of user, from ~/.docker/config.json, 'r.example'"
	stdout_lacks secret
	fails 3 prog auth explain h.example
	stderr_has "credential helper 'docker-credential-none-such' (from ~/.docker/config.json) is not in PATH"
}

@test "a policy lets in what is signed, and nothing where it cannot be read" {
	needs skopeo umoci busybox
	registry_start
	load_busybox
	works prog push busybox "$REGISTRY/team/app:1"
	works prog push busybox "$REGISTRY/other/app:1"
	works openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
	works openssl pkey -in key.pem -pubout -out key.pub
	works prog sign --key key.pem "$REGISTRY/team/app:1"
	works prog rmi --all
	printf '{"default":[{"type":"reject"}],"transports":{"docker":{"%s/team":[{"type":"sigstoreSigned","keyPath":"%s","signedIdentity":{"type":"matchRepository"}}]}}}' \
		"$REGISTRY" "$PWD/key.pub" >policy.json
	works prog pull --signature-policy policy.json "$REGISTRY/team/app:1"
	works prog copy --signature-policy policy.json "$REGISTRY/team/app:1" oci:out:1
	printf 'FROM %s/other/app:1\nLABEL a=b\n' "$REGISTRY" >Dockerfile
	fails 5 prog pull --signature-policy policy.json "$REGISTRY/other/app:1"
	stderr_has "may not be used, says 'default' of policy.json: it is rejected"
	fails 5 prog copy --signature-policy policy.json "$REGISTRY/other/app:1" oci:out:2
	works prog ls --signature-policy policy.json "docker://$REGISTRY/team/app:1" /
	fails 5 prog ls --signature-policy policy.json "$REGISTRY/other/app:1" /
	stderr_has "may not be used, says 'default' of policy.json: it is rejected"
	fails 5 prog config --signature-policy policy.json "$REGISTRY/other/app:1"
	fails 5 prog build --signature-policy policy.json -q .
	fails 125 prog run --signature-policy policy.json "$REGISTRY/other/app:1" true
	mkdir -p "$HOME/.config/containers"
	printf '{"default":[{"type":"rejct"}]}' >"$HOME/.config/containers/policy.json"
	fails 5 prog pull "$REGISTRY/other/app:1"
	stderr_has "requirement 'rejct' is not known"
	printf '{"default":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}]}' >"$HOME/.config/containers/policy.json"
	fails 5 prog pull "$REGISTRY/other/app:1"
	stderr_has "a GPG signature is wanted ('signedBy'), which is not supported"
}

@test "registry doctor says how a registry is reached, and writes nothing" {
	registry_start
	works prog registry doctor "$REGISTRY"
	stdout_has "200 over plain http"
	stdout_has "nobody is asked who they are"
	works prog registry doctor --json "$REGISTRY/a/b"
	same "$(jq -r '.[] | select(.name == "referrers") | .grade' "$T/stdout")" note
	works prog repos "$REGISTRY"
	stdout_is_empty
	fails 7 prog registry doctor 127.0.0.1:1
	stdout_has "answer"
	fails 3 prog registry doctor nowhere
}

@test "a copy that fails leaves no part of an archive" {
	local kind

	registry_start
	for kind in oci-archive docker-archive; do
		fails 4 prog copy "$REGISTRY/nothing:1" "$kind:out.tar"
		fails 4 prog copy oci:nowhere:1 "$kind:out.tar"
	done
	# the manifest is there, and its layer is not: the archive was begun
	load_busybox
	works prog push busybox "$REGISTRY/app:1"
	find "$T/registry" -name data -size +100k -delete
	for kind in oci-archive docker-archive; do
		fails 4 prog copy --retry 1 "$REGISTRY/app:1" "$kind:out.tar"
	done
	works ls -A
	stdout_is_empty
}
