# unit tests of dockerfile
