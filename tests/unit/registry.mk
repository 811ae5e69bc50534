# unit tests of registry
