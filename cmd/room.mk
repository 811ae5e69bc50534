# cmd/ - the door: words in, words out
bin_PROGRAMS += cooper
cooper_SOURCES = cmd/main.c
cooper_LDADD = $(BUILD_LIBS) $(FOREIGN_LIBS)
