# Third-party libraries. Each is linked by the one room that may see it (ARCHITECTURE.md).
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(doctest REQUIRED)
