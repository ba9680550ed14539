# Third-party libraries. Each is linked by the one room that may see it (ARCHITECTURE.md).
find_package(Threads REQUIRED)
find_package(doctest REQUIRED)

# Standalone Asio, header-only: every room that sees it must see it with the same definitions.
add_library(brigade_asio INTERFACE)
target_compile_definitions(brigade_asio INTERFACE ASIO_STANDALONE)
target_link_libraries(brigade_asio INTERFACE Threads::Threads)
find_package(CLI11 REQUIRED)

# RocksDB: static, so that the program is one file to copy (Debian's imported target drags shared
# libraries in). Sanitizers need the shared one: they cannot look into uninstrumented archives.
add_library(brigade_rocksdb INTERFACE)
if(BRIGADE_SANITIZE)
  find_library(ROCKSDB_SHARED NAMES librocksdb.so REQUIRED)
  target_link_libraries(brigade_rocksdb INTERFACE ${ROCKSDB_SHARED})
else()
  foreach(archive rocksdb snappy bz2 z lz4 zstd)
    find_library(ARCHIVE_${archive} NAMES lib${archive}.a REQUIRED)
    target_link_libraries(brigade_rocksdb INTERFACE ${ARCHIVE_${archive}})
  endforeach()
endif()
target_link_libraries(brigade_rocksdb INTERFACE Threads::Threads ${CMAKE_DL_LIBS})

# Cap'n Proto: the compiler for schema/, and static libraries.
find_package(CapnProto REQUIRED)
find_library(CAPNP_ARCHIVE NAMES libcapnp.a REQUIRED)
find_library(KJ_ARCHIVE NAMES libkj.a REQUIRED)
add_library(brigade_capnp INTERFACE)
target_link_libraries(brigade_capnp INTERFACE ${CAPNP_ARCHIVE} ${KJ_ARCHIVE} Threads::Threads)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(brigade_capnp INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:SHELL:-include ${CMAKE_CURRENT_LIST_DIR}/kj_for_clang.h>)
endif()
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)

# brigade_one_file(TARGET): a program to copy; of the machine it asks libc, libm and the loader.
# Sanitizers bring an allocator of their own and want to see the C++ library.
function(brigade_one_file target)
  if(NOT BRIGADE_SANITIZE)
    find_library(JEMALLOC_ARCHIVE NAMES libjemalloc_pic.a REQUIRED)
    target_link_libraries(${target} PRIVATE ${JEMALLOC_ARCHIVE})
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endfunction()

# YAML: static, so that the program is one file to copy (Debian's imported target is shared).
find_library(YAML_ARCHIVE NAMES libyaml-cpp.a REQUIRED)
add_library(brigade_yaml INTERFACE)
target_link_libraries(brigade_yaml INTERFACE ${YAML_ARCHIVE})

# http_parser: the grammar of HTTP/1.1 requests.
find_library(HTTP_PARSER_ARCHIVE NAMES libhttp_parser.a REQUIRED)
add_library(brigade_http_parser INTERFACE)
target_link_libraries(brigade_http_parser INTERFACE ${HTTP_PARSER_ARCHIVE})
find_package(nlohmann_json REQUIRED)
