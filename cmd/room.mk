# cmd/ - the door: words in, words out
#
# libcmd.a is all of it but main, for the tests.
noinst_LIBRARIES += libcmd.a
libcmd_a_SOURCES = \
	cmd/cmd.h \
	cmd/cmd_append.c \
	cmd/cmd_artifact.c \
	cmd/cmd_blob.c \
	cmd/cmd_build.c \
	cmd/cmd_cat.c \
	cmd/cmd_check.c \
	cmd/cmd_complete.c \
	cmd/cmd_copy.c \
	cmd/cmd_diff.c \
	cmd/cmd_doctor.c \
	cmd/cmd_examine.c \
	cmd/cmd_export.c \
	cmd/cmd_find.c \
	cmd/cmd_flatten.c \
	cmd/cmd_history.c \
	cmd/cmd_images.c \
	cmd/cmd_import.c \
	cmd/cmd_index.c \
	cmd/cmd_inspect.c \
	cmd/cmd_load.c \
	cmd/cmd_login.c \
	cmd/cmd_ls.c \
	cmd/cmd_man.c \
	cmd/cmd_mutate.c \
	cmd/cmd_prune.c \
	cmd/cmd_pull.c \
	cmd/cmd_push.c \
	cmd/cmd_rebase.c \
	cmd/cmd_registry.c \
	cmd/cmd_rmi.c \
	cmd/cmd_run.c \
	cmd/cmd_save.c \
	cmd/cmd_sign.c \
	cmd/cmd_sync.c \
	cmd/cmd_tag.c \
	cmd/cmd_version.c \
	cmd/files.c cmd/files.h \
	cmd/files_show.c cmd/files_show.h \
	cmd/find_tests.c cmd/find_tests.h \
	cmd/image.c cmd/image.h \
	cmd/opt.c cmd/opt.h \
	cmd/opt_help.c \
	cmd/piece.c cmd/piece.h \
	cmd/recompress.c cmd/recompress.h \
	cmd/remote_flags.c cmd/remote_flags.h \
	cmd/rework.c cmd/rework.h \
	cmd/show.c cmd/show.h \
	cmd/spot.c cmd/spot.h \
	cmd/sweep.c cmd/sweep.h \
	cmd/table.c \
	cmd/template.c cmd/template.h \
	cmd/transfer.c cmd/transfer.h \
	cmd/ui.c cmd/ui.h \
	cmd/ui_json.c \
	cmd/ui_plain.c \
	cmd/ui_quiet.c \
	cmd/ui_tty.c
CMD_LIBS = libcmd.a $(BUILD_LIBS)

bin_PROGRAMS += cooper
cooper_SOURCES = cmd/main.c
cooper_LDADD = $(CMD_LIBS) $(FOREIGN_LIBS)

# Manual pages are made from the option rows, by hand (`make man`), and compared with them in `make check`.
dist_man_MANS += \
	cmd/man/cooper.1 \
	cmd/man/cooper-annotate.1 \
	cmd/man/cooper-append.1 \
	cmd/man/cooper-artifact.1 \
	cmd/man/cooper-auth.1 \
	cmd/man/cooper-blob.1 \
	cmd/man/cooper-build.1 \
	cmd/man/cooper-cat.1 \
	cmd/man/cooper-check.1 \
	cmd/man/cooper-config.1 \
	cmd/man/cooper-copy.1 \
	cmd/man/cooper-delete.1 \
	cmd/man/cooper-diff.1 \
	cmd/man/cooper-digest.1 \
	cmd/man/cooper-doctor.1 \
	cmd/man/cooper-export.1 \
	cmd/man/cooper-find.1 \
	cmd/man/cooper-flatten.1 \
	cmd/man/cooper-history.1 \
	cmd/man/cooper-images.1 \
	cmd/man/cooper-import.1 \
	cmd/man/cooper-index.1 \
	cmd/man/cooper-inspect.1 \
	cmd/man/cooper-label.1 \
	cmd/man/cooper-load.1 \
	cmd/man/cooper-login.1 \
	cmd/man/cooper-logout.1 \
	cmd/man/cooper-ls.1 \
	cmd/man/cooper-manifest.1 \
	cmd/man/cooper-mutate.1 \
	cmd/man/cooper-prune.1 \
	cmd/man/cooper-pull.1 \
	cmd/man/cooper-push.1 \
	cmd/man/cooper-rebase.1 \
	cmd/man/cooper-referrers.1 \
	cmd/man/cooper-registry.1 \
	cmd/man/cooper-repos.1 \
	cmd/man/cooper-rmi.1 \
	cmd/man/cooper-run.1 \
	cmd/man/cooper-save.1 \
	cmd/man/cooper-sign.1 \
	cmd/man/cooper-squash.1 \
	cmd/man/cooper-sync.1 \
	cmd/man/cooper-tag.1 \
	cmd/man/cooper-tags.1 \
	cmd/man/cooper-verify.1 \
	cmd/man/cooper-version.1

.PHONY: man
man: cooper$(EXEEXT)
	$(MKDIR_P) $(srcdir)/cmd/man
	./cooper __man >$(srcdir)/cmd/man/cooper.1
	for c in $$(./cooper __complete ''); do \
		./cooper __man $$c >$(srcdir)/cmd/man/cooper-$$c.1 || exit 1; done

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = cmd/completions/cooper
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = cmd/completions/_cooper
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = cmd/completions/cooper.fish
