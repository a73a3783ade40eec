# What makes a mistake in memory end the program instead of serving whoever found it. Every flag is one
# that the compiler knows; tests/scenarios/binary_test.py looks for what they leave in the program.
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

function(stanzagate_harden_with flag)
    string(MAKE_C_IDENTIFIER "STANZAGATE_HAS_${flag}" known)
    check_cxx_compiler_flag(${flag} ${known})
    if(${known})
        add_compile_options(${flag})
    endif()
endfunction()

function(stanzagate_harden_link_with flag)
    string(MAKE_C_IDENTIFIER "STANZAGATE_LINKS_${flag}" known)
    check_linker_flag(CXX ${flag} ${known})
    if(${known})
        add_link_options(${flag})
    endif()
endfunction()

# Not CMAKE_POSITION_INDEPENDENT_CODE: that is -fPIC for a static library, which keeps the compiler from
# inlining what another library might replace.
add_compile_options(-fPIE)
add_link_options(-pie)
stanzagate_harden_link_with(-Wl,-z,relro,-z,now)
stanzagate_harden_link_with(-Wl,-z,noexecstack)

stanzagate_harden_with(-fstack-protector-strong)
stanzagate_harden_with(-fstack-clash-protection)
stanzagate_harden_with(-fcf-protection)  # x86-64 only
add_compile_definitions(_GLIBCXX_ASSERTIONS)

# Level 3 checks sizes that are known only when the program runs; older compilers would fall back to 2 with
# a warning. It does nothing without optimisation but warn of that.
set(level 3)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
    set(level 2)
endif()
add_compile_options("$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${level}>")
