# brigade_room(NAME SOURCES ... [DEPS rooms and libraries ...]): one static library per folder of src/.
function(brigade_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(brigade_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(brigade_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(brigade_${name}
    PUBLIC ${ROOM_DEPS}
    PRIVATE brigade_warnings ${ROOM_PRIVATE_DEPS})
endfunction()

# brigade_test(ROOM SOURCES ... DEPS ...): one doctest executable per folder of tests/.
# Cases are compiled into the executable: doctest cases in a static library vanish silently.
function(brigade_test room)
  cmake_parse_arguments(TEST "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(test_${room} ${CMAKE_SOURCE_DIR}/tests/support/main.cc ${TEST_SOURCES})
  target_include_directories(test_${room} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(test_${room} PRIVATE ${TEST_DEPS} doctest::doctest brigade_warnings)
  add_test(NAME ${room} COMMAND test_${room})
endfunction()
