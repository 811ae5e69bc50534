# build/dockerfile/ - the language: text to stages of instructions (pure)
noinst_LIBRARIES += libdockerfile.a
libdockerfile_a_SOURCES =
