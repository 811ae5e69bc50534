# unit tests of build
