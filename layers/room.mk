# layers/ - the material: digests, tar, codecs, trees, the store
noinst_LIBRARIES += liblayers.a
liblayers_a_SOURCES = \
	layers/archive.h \
	layers/check.h \
	layers/codec.h \
	layers/digest.c layers/digest.h \
	layers/entry.c layers/entry.h \
	layers/gc.h \
	layers/sink.c \
	layers/store.h \
	layers/stream.c layers/stream.h \
	layers/stream_ahead.c \
	layers/tar.h
