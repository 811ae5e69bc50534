# registry/ - the warehouse: places where images live
noinst_LIBRARIES += libregistry.a
libregistry_a_SOURCES = \
	registry/amend.c registry/amend.h \
	registry/archive_docker.c \
	registry/archive_member.h \
	registry/auth.c registry/auth.h \
	registry/base64.c registry/base64.h \
	registry/bundle.c registry/bundle.h \
	registry/catalog.c registry/catalog.h \
	registry/challenge.c registry/challenge.h \
	registry/cosign.c registry/cosign.h \
	registry/credentials.c registry/credentials.h registry/credentials_login.c \
	registry/download.c registry/download.h \
	registry/download_parts.c registry/download_parts.h \
	registry/draft.c registry/draft.h \
	registry/examine.c registry/examine.h \
	registry/helper.c registry/helper.h \
	registry/host.c registry/host.h \
	registry/hosts.c registry/hosts.h \
	registry/http.c registry/http.h \
	registry/http_curl.c \
	registry/http_pool.c registry/http_pool.h \
	registry/link.c registry/link.h \
	registry/memory.c registry/memory.h \
	registry/mirrors.c registry/mirrors.h \
	registry/place.c registry/place.h \
	registry/place_archive.c registry/place_archive.h \
	registry/place_archive_write.c \
	registry/place_convert.c registry/place_convert.h \
	registry/place_copy.c \
	registry/place_dir.c registry/place_dir.h \
	registry/place_file.c registry/place_file.h \
	registry/place_layout.c registry/place_layout.h \
	registry/place_store.c registry/place_store.h \
	registry/place_stream.c registry/place_stream.h \
	registry/policy.c registry/policy.h \
	registry/proxy.c registry/proxy.h \
	registry/realm.c registry/realm.h \
	registry/ref.c registry/ref.h \
	registry/remote.c registry/remote.h \
	registry/registries.c registry/registries.h \
	registry/remote_blob.c registry/remote_blob.h \
	registry/remote_lists.c \
	registry/remote_referrers.c registry/remote_referrers.h \
	registry/remote_repository.h \
	registry/reply.c registry/reply.h \
	registry/repository.h \
	registry/request.c registry/request.h \
	registry/retry.c registry/retry.h \
	registry/route.c registry/route.h \
	registry/scope.c registry/scope.h \
	registry/semver.c registry/semver.h \
	registry/session.c registry/session.h \
	registry/shortname.c registry/shortname.h \
	registry/signature.c registry/signature.h \
	registry/toml.c registry/toml.h \
	registry/toml_value.c registry/toml_value.h \
	registry/sync_list.c registry/sync_list.h \
	registry/token.c registry/token.h \
	registry/trust.c registry/trust.h \
	registry/upload.c registry/upload.h \
	registry/upload_chunks.c registry/upload_chunks.h \
	registry/url.c registry/url.h
EXTRA_DIST += docs/registry.md
