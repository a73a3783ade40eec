# One call makes a layer: a static library, its test program, and nothing it may not use.
#
#   stanzagate_layer(NAME
#       DEPENDS layer...         layers whose headers it may include
#       LIBS    target...        outside libraries
#       SOURCES file...
#       TESTS   file...)         become the program NAME_test, known to ctest suite by suite

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

function(stanzagate_tests name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    if(NOT STANZAGATE_TESTS)
        return()
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main)
    stanzagate_settings(${name})
    target_compile_definitions(${name} PRIVATE
        STANZAGATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" STANZAGATE_BINARY_DIR="${PROJECT_BINARY_DIR}")
    stanzagate_register(${name})
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
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;LIBS;SOURCES;TESTS;TEST_LIBS")
    add_library(stanzagate_${name} STATIC ${arg_SOURCES})
    list(TRANSFORM arg_DEPENDS PREPEND stanzagate_)
    target_link_libraries(stanzagate_${name} PUBLIC ${arg_DEPENDS} ${arg_LIBS})
    stanzagate_settings(stanzagate_${name})
    if(arg_TESTS)
        stanzagate_tests(${name}_test SOURCES ${arg_TESTS} LIBS stanzagate_${name} ${arg_TEST_LIBS})
    endif()
endfunction()
