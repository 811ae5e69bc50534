# base/ - the ground: errors, memory, buffers, paths, files, processes
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	base/archive_file.c base/archive_file.h \
	base/err.c base/err.h \
	base/mem.c base/mem.h \
	base/buf.c base/buf.h \
	base/strv.c base/strv.h \
	base/epoch.c base/epoch.h \
	base/event.c base/event.h \
	base/file.c base/file.h \
	base/json.c base/json.h \
	base/late.c base/late.h \
	base/path.c base/path.h \
	base/path_names.c \
	base/path_remove.c \
	base/path_walk.c base/path_walk.h \
	base/proc.c base/proc.h \
	base/spool.c base/spool.h \
	base/worker.c base/worker.h \
	base/worker_wire.c base/worker_wire.h
