# build/dockerfile/ - the language: text to stages of instructions (pure)
noinst_LIBRARIES += libdockerfile.a
libdockerfile_a_SOURCES = \
	build/dockerfile/diagnostic.h \
	build/dockerfile/duration.h \
	build/dockerfile/exec_form.h \
	build/dockerfile/expand.h \
	build/dockerfile/expose.h \
	build/dockerfile/heredoc.h \
	build/dockerfile/ignore.h \
	build/dockerfile/instruction.h \
	build/dockerfile/lint.h \
	build/dockerfile/match.h \
	build/dockerfile/mode.h \
	build/dockerfile/mount.h \
	build/dockerfile/owner.h \
	build/dockerfile/parse.h \
	build/dockerfile/stop_signal.h \
	build/dockerfile/suggest.h
