# build/ - the workshop: a Dockerfile becomes an image
noinst_LIBRARIES += libbuild.a
libbuild_a_SOURCES =

include build/dockerfile/room.mk
include build/sandbox/room.mk
