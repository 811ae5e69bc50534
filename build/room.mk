# build/ - the workshop: a Dockerfile becomes an image
noinst_LIBRARIES += libbuild.a
libbuild_a_SOURCES = \
	build/absent.c build/absent.h \
	build/base.c build/base.h \
	build/build.c build/build.h \
	build/cache.c build/cache.h \
	build/call.c build/call.h \
	build/context.c \
	build/copy.c build/copy.h build/copy_archive.c build/copy_inside.h \
	build/copy_list.c build/copy_list.h \
	build/copy_make.c build/copy_parents.c \
	build/copy_put.c \
	build/copy_slots.c build/copy_slots.h \
	build/evaluate.c build/evaluate.h build/evaluate_copy.c build/evaluate_inside.h \
	build/fetch.c build/fetch.h build/fetch_git.c build/fetch_http.c build/fetch_inside.h \
	build/foreign.c build/foreign.h \
	build/git_url.c build/git_url.h \
	build/image.c build/image.h \
	build/input.c build/input.h \
	build/key.c build/key.h \
	build/material.c build/material.h \
	build/node.c \
	build/output.c build/output.h build/output_text.c \
	build/plan.c build/plan.h build/plan_context.c build/plan_inside.h \
	build/push.c build/push.h \
	build/run.c build/run.h \
	build/run_mount.c build/run_mount.h build/run_mount_seed.c \
	build/scan.c build/scan.h \
	build/scope.c build/scope.h \
	build/secret.c build/secret.h \
	build/solve.c build/solve.h \
	build/source.c build/source.h \
	build/ssh_agent.c build/ssh_agent.h \
	build/ssh_relay.c build/ssh_relay.h \
	build/stat_cache.c build/stat_cache.h \
	build/step_add.c \
	build/step_copy.c \
	build/step_run.c \
	build/terminal.c build/terminal.h \
	build/trash.c build/trash.h \
	build/unpack.c build/unpack.h

include build/dockerfile/room.mk
include build/sandbox/room.mk
