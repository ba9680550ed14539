# Third-party libraries. Each is linked by the one room that may see it (ARCHITECTURE.md).
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(doctest REQUIRED)

# Standalone Asio, header-only: every room that sees it must see it with the same definitions.
add_library(brigade_asio INTERFACE)
target_compile_definitions(brigade_asio INTERFACE ASIO_STANDALONE)
target_link_libraries(brigade_asio INTERFACE Threads::Threads)
find_package(CLI11 REQUIRED)
