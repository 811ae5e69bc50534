# registry/ - the warehouse: places where images live
noinst_LIBRARIES += libregistry.a
libregistry_a_SOURCES = \
	registry/archive_docker.c \
	registry/archive_member.h \
	registry/catalog.c registry/catalog.h \
	registry/place.h \
	registry/place_archive.c registry/place_archive.h \
	registry/place_archive_write.c \
	registry/place_layout.c registry/place_layout.h \
	registry/place_store.c registry/place_store.h \
	registry/ref.c registry/ref.h \
	registry/remote.h \
	registry/session.h
