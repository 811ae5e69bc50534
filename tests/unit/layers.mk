# unit tests of layers
