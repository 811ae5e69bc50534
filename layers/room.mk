# layers/ - the material: digests, tar, codecs, trees, the store
noinst_LIBRARIES += liblayers.a
liblayers_a_SOURCES =
