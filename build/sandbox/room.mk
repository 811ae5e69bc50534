# build/sandbox/ - a process in a box (knows nothing of Dockerfiles)
noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = \
	build/sandbox/box.h \
	build/sandbox/caps.h \
	build/sandbox/ids.h \
	build/sandbox/limits.h \
	build/sandbox/probe.h \
	build/sandbox/rootfs.h \
	build/sandbox/seccomp.h \
	build/sandbox/user.h
