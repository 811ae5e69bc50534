# registry/ - the warehouse: places where images live
noinst_LIBRARIES += libregistry.a
libregistry_a_SOURCES = \
	registry/place.h \
	registry/ref.c registry/ref.h \
	registry/remote.h \
	registry/session.h
