# One call makes a layer: a static library, its test program, and nothing it may not use.
#
#   stanzagate_layer(NAME
#       DEPENDS layer...         layers whose headers it may include
#       LIBS    target...        outside libraries
#       PCH     header...        outside headers that many of its files and tests include, beside the
#                                common ones
#       SOURCES file...
#       ALONE   file...          of these, what is compiled by itself where the others are joined
#       TESTS   file...)         become the program NAME_test, known to ctest suite by suite
set(STANZAGATE_TEST_FLAGS "" CACHE STRING "compiler options of the test programs alone")
set(stanzagate_common_headers <algorithm> <array> <chrono> <cstddef> <cstdint> <filesystem> <functional>
    <map> <memory> <optional> <string> <string_view> <system_error> <utility> <variant> <vector>)

function(stanzagate_settings target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
        -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough)
    if(STANZAGATE_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
    if(STANZAGATE_SANITIZE)
        target_compile_options(${target} PUBLIC -fsanitize=${STANZAGATE_SANITIZE}
            -fno-sanitize-recover=all -fno-omit-frame-pointer)
        target_link_options(${target} PUBLIC -fsanitize=${STANZAGATE_SANITIZE})
    endif()
endfunction()

# Headers of others only, and only to save time: every file still includes what it uses. The tsan
# preset builds all without, so that one which does not is noticed.
function(stanzagate_precompile target)
    if(NOT STANZAGATE_PCH)
        return()
    endif()
    target_precompile_headers(${target} PRIVATE ${stanzagate_common_headers} ${ARGN})
    # What the compilers' cache needs to see through a precompiled header.
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
        target_compile_options(${target} PRIVATE -fpch-preprocess)
    else()
        target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
endfunction()

function(stanzagate_tests name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS;PCH")
    if(NOT STANZAGATE_TESTS)
        return()
    endif()
    if(STANZAGATE_TESTS_CHECK_ONLY)
        add_library(${name} OBJECT ${arg_SOURCES})
        set_source_files_properties(${arg_SOURCES} PROPERTIES COMPILE_OPTIONS -fsyntax-only)
        # an empty object stands for "read, and found good", so that it is not read again
        set_target_properties(${name} PROPERTIES RULE_LAUNCH_COMPILE
            "${CMAKE_COMMAND} -E touch <OBJECT> &&")
    else()
        add_executable(${name} ${arg_SOURCES})
        stanzagate_register(${name})
    endif()
    target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main)
    stanzagate_settings(${name})
    target_compile_options(${name} PRIVATE ${STANZAGATE_TEST_FLAGS})
    stanzagate_precompile(${name} ${arg_PCH} <ostream> <gtest/gtest.h> <gmock/gmock.h>)
    target_compile_definitions(${name} PRIVATE
        STANZAGATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" STANZAGATE_BINARY_DIR="${PROJECT_BINARY_DIR}")
endfunction()

# One entry for ctest per suite of GoogleTest's, found when ctest starts. Starting a sanitized program
# for each of the 2,400 cases took longer than the cases themselves. A case that fails is named in
# the output of its suite.
function(stanzagate_register name)
    set(list ${CMAKE_CURRENT_BINARY_DIR}/${name}_suites.cmake)
    file(GENERATE OUTPUT ${list} CONTENT
"set(name ${name})
set(program [==[$<TARGET_FILE:${name}>]==])
set(folder [==[${CMAKE_CURRENT_BINARY_DIR}]==])
include([==[${PROJECT_SOURCE_DIR}/cmake/suites.cmake]==])
")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${list})
endfunction()

function(stanzagate_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;LIBS;PCH;SOURCES;ALONE;TESTS;TEST_LIBS")
    add_library(stanzagate_${name} STATIC ${arg_SOURCES})
    list(TRANSFORM arg_DEPENDS PREPEND stanzagate_)
    target_link_libraries(stanzagate_${name} PUBLIC ${arg_DEPENDS} ${arg_LIBS})
    stanzagate_settings(stanzagate_${name})
    stanzagate_precompile(stanzagate_${name} ${arg_PCH})
    set_target_properties(stanzagate_${name} PROPERTIES
        UNITY_BUILD ${STANZAGATE_JOIN} UNITY_BUILD_BATCH_SIZE 8)
    set_source_files_properties(${arg_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    if(arg_TESTS)
        stanzagate_tests(${name}_test
            SOURCES ${arg_TESTS} LIBS stanzagate_${name} ${arg_TEST_LIBS} PCH ${arg_PCH})
    endif()
endfunction()
