# registry/ - the warehouse: places where images live
noinst_LIBRARIES += libregistry.a
libregistry_a_SOURCES =
