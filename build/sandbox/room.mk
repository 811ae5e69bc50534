# build/sandbox/ - a process in a box (knows nothing of Dockerfiles)
noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = \
	build/sandbox/box.c build/sandbox/box.h \
	build/sandbox/box_guard.c build/sandbox/box_inside.h build/sandbox/box_mounts.c build/sandbox/box_start.c \
	build/sandbox/call.c build/sandbox/call.h \
	build/sandbox/call_identity.c build/sandbox/call_make.c build/sandbox/call_owner.c \
	build/sandbox/call_table.c \
	build/sandbox/caps.c build/sandbox/caps.h \
	build/sandbox/carry.c build/sandbox/carry.h \
	build/sandbox/furnish.c build/sandbox/furnish.h \
	build/sandbox/identity.c build/sandbox/identity.h \
	build/sandbox/ids.c build/sandbox/ids_call.c build/sandbox/ids_open.c build/sandbox/ids.h \
	build/sandbox/limits.c build/sandbox/limits.h \
	build/sandbox/mounts.c build/sandbox/mounts.h \
	build/sandbox/network.c build/sandbox/network.h \
	build/sandbox/point.c build/sandbox/point_undo.c build/sandbox/point.h \
	build/sandbox/probe.c build/sandbox/probe.h \
	build/sandbox/rootfs.c build/sandbox/rootfs.h build/sandbox/rootfs_mount.h \
	build/sandbox/seccomp.c build/sandbox/seccomp.h \
	build/sandbox/seccomp_table.c build/sandbox/seccomp_table.h \
	build/sandbox/stack.c build/sandbox/stack.h \
	build/sandbox/supervisor.c build/sandbox/supervisor.h \
	build/sandbox/unchroot.c build/sandbox/unchroot.h \
	build/sandbox/user.c build/sandbox/user.h
