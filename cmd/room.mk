# cmd/ - the door: words in, words out
#
# libcmd.a is all of it but main, for the tests.
noinst_LIBRARIES += libcmd.a
libcmd_a_SOURCES = \
	cmd/archive_file.c cmd/archive_file.h \
	cmd/cmd.h \
	cmd/cmd_check.c \
	cmd/cmd_complete.c \
	cmd/cmd_doctor.c \
	cmd/cmd_history.c \
	cmd/cmd_images.c \
	cmd/cmd_import.c \
	cmd/cmd_inspect.c \
	cmd/cmd_load.c \
	cmd/cmd_man.c \
	cmd/cmd_prune.c \
	cmd/cmd_pull.c \
	cmd/cmd_push.c \
	cmd/cmd_rmi.c \
	cmd/cmd_save.c \
	cmd/cmd_tag.c \
	cmd/cmd_version.c \
	cmd/image.c cmd/image.h \
	cmd/opt.c cmd/opt.h \
	cmd/opt_help.c \
	cmd/piece.c cmd/piece.h \
	cmd/remote_flags.c cmd/remote_flags.h \
	cmd/show.c cmd/show.h \
	cmd/suggest.c cmd/suggest.h \
	cmd/table.c \
	cmd/template.c cmd/template.h \
	cmd/transfer.c cmd/transfer.h \
	cmd/ui.c cmd/ui.h \
	cmd/ui_json.c \
	cmd/ui_plain.c \
	cmd/ui_tty.c
CMD_LIBS = libcmd.a $(BUILD_LIBS)

bin_PROGRAMS += cooper
cooper_SOURCES = cmd/main.c
cooper_LDADD = $(CMD_LIBS) $(FOREIGN_LIBS)
