# Compiler, linker and sanitizer settings shared by every target.
set(BRIGADE_SANITIZE "" CACHE STRING "comma list for -fsanitize= (asan and tsan presets)")

option(BRIGADE_FUZZ "build the fuzzers; needs clang" OFF)
if(BRIGADE_FUZZ)
  set(BRIGADE_SANITIZE "fuzzer-no-link,address,undefined")
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_program(LLD_PROGRAM ld.lld)
if(LLD_PROGRAM)
  add_link_options(-fuse-ld=lld)
endif()

# The same arithmetic on every compiler: simulator hashes must agree.
add_compile_options(-ffp-contract=off -fno-omit-frame-pointer)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

if(BRIGADE_SANITIZE)
  add_compile_options(-fsanitize=${BRIGADE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BRIGADE_SANITIZE})
endif()

add_library(brigade_warnings INTERFACE)
target_compile_options(brigade_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
  # Designated initializers leave the rest at their defaults on purpose.
  -Wno-missing-field-initializers
  # GCC 12 reports moved-from alternatives of std::variant (GCC bug 105562).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
