# build/sandbox/ - a process in a box (knows nothing of Dockerfiles)
noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES =
