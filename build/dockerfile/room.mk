# build/dockerfile/ - the language: text to stages of instructions (pure)
noinst_LIBRARIES += libdockerfile.a
EXTRA_DIST += docs/dockerfile.md
libdockerfile_a_SOURCES = \
	build/dockerfile/csv.c build/dockerfile/csv.h \
	build/dockerfile/diagnostic.c build/dockerfile/diagnostic.h \
	build/dockerfile/duration.c build/dockerfile/duration.h \
	build/dockerfile/exec_form.c build/dockerfile/exec_form.h \
	build/dockerfile/expand.c build/dockerfile/expand.h \
	build/dockerfile/expose.c build/dockerfile/expose.h \
	build/dockerfile/flags.c \
	build/dockerfile/glob.c build/dockerfile/glob.h \
	build/dockerfile/heredoc.c build/dockerfile/heredoc.h \
	build/dockerfile/ignore.c build/dockerfile/ignore.h \
	build/dockerfile/instruction.c build/dockerfile/instruction.h \
	build/dockerfile/instruction_expand.c \
	build/dockerfile/instruction_finish.c \
	build/dockerfile/instruction_parse.c build/dockerfile/instruction_parse.h \
	build/dockerfile/lex.c build/dockerfile/lex.h \
	build/dockerfile/lint.c build/dockerfile/lint.h \
	build/dockerfile/lint_build.c \
	build/dockerfile/lint_config.c \
	build/dockerfile/lint_file.c \
	build/dockerfile/match.c build/dockerfile/match.h \
	build/dockerfile/mode.c build/dockerfile/mode.h \
	build/dockerfile/mount.c build/dockerfile/mount.h \
	build/dockerfile/owner.c build/dockerfile/owner.h \
	build/dockerfile/parse.c build/dockerfile/parse.h \
	build/dockerfile/quote.c build/dockerfile/quote.h \
	build/dockerfile/shell_pattern.c build/dockerfile/shell_pattern.h \
	build/dockerfile/stop_signal.c build/dockerfile/stop_signal.h \
	build/dockerfile/suggest.c build/dockerfile/suggest.h \
	build/dockerfile/utf8.c build/dockerfile/utf8.h \
	build/dockerfile/utf8_tables.c \
	build/dockerfile/words.c
