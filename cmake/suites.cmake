# Read by ctest itself, with `name`, `program` and `folder` set: registers each suite of a GoogleTest
# program as NAME.SUITE.
if(NOT EXISTS ${program})
    add_test(${name}.not_built ${program})
    return()
endif()
execute_process(COMMAND ${program} --gtest_list_tests WORKING_DIRECTORY ${folder}
    OUTPUT_VARIABLE listed RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "${program} --gtest_list_tests: ${failed}")
endif()
string(REGEX REPLACE "[][;]" "_" listed "${listed}")
string(REPLACE "\n" ";" listed "${listed}")
foreach(line IN LISTS listed)
    # "Suite." or "Instance/Suite.  # TypeParam = ..."; its cases are set in by two spaces
    if(line MATCHES "^([^ ]+)\\.( *#.*)?$")
        set(suite ${CMAKE_MATCH_1})
        add_test(${name}.${suite} ${program} --gtest_filter=${suite}.*)
        # Two of ctest's places: with -j4 two suites run at once, or four scenarios, which mostly wait.
        set_tests_properties(${name}.${suite} PROPERTIES
            WORKING_DIRECTORY ${folder} TIMEOUT 600 PROCESSORS 2)
    endif()
endforeach()
