# What is installed, and the package that CPack makes of it (`./dev package`).
set(packaging ${PROJECT_SOURCE_DIR}/packaging)
set(made ${PROJECT_BINARY_DIR}/package)
set(docs share/doc/stanzagate)

# A file under another name, and compressed as Debian wants it where COMPRESS is said. It is made when
# it is installed, so that no other build pays for it.
function(stanzagate_install_made from folder name)
    cmake_parse_arguments(PARSE_ARGV 3 arg "COMPRESS" "" "COMMAND")
    if(NOT arg_COMMAND)
        set(arg_COMMAND ${CMAKE_COMMAND} -E cat)
    endif()
    if(arg_COMPRESS)
        set(compress "COMMAND gzip -9n")
        string(APPEND name .gz)
    endif()
    list(JOIN arg_COMMAND "]==] [==[" command)
    install(CODE "
        file(MAKE_DIRECTORY [==[${made}]==])
        execute_process(COMMAND [==[${command}]==] [==[${from}]==] ${compress}
            OUTPUT_FILE [==[${made}/${name}]==] COMMAND_ERROR_IS_FATAL ANY)
        file(INSTALL [==[${made}/${name}]==] DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${folder}\"
            PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)")
endfunction()

install(TARGETS stanzagate RUNTIME DESTINATION bin)

# What the system reads, which is not below the prefix.
install(FILES ${packaging}/stanzagate.service ${packaging}/stanzagate.socket
    DESTINATION /lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/config/stanzagate.example.toml
    DESTINATION /etc/stanzagate RENAME stanzagate.toml)
install(FILES ${packaging}/stanzagate.sysusers
    DESTINATION lib/sysusers.d RENAME stanzagate.conf)
install(FILES ${packaging}/stanzagate.tmpfiles
    DESTINATION lib/tmpfiles.d RENAME stanzagate.conf)
install(FILES ${packaging}/completions/stanzagate.bash
    DESTINATION share/bash-completion/completions RENAME stanzagate)
install(FILES ${packaging}/completions/_stanzagate DESTINATION share/zsh/vendor-completions)
install(FILES ${packaging}/completions/stanzagate.fish
    DESTINATION share/fish/vendor_completions.d)

# Manual pages: docs/man/NAME.SECTION.md, which are read on the web as they are.
find_program(LOWDOWN lowdown)
if(LOWDOWN)
    foreach(page stanzagate.1 stanzagate.toml.5 stanzagate-rules.5)
        string(REGEX MATCH "^(.*)\\.([0-9])$" matched ${page})
        stanzagate_install_made(${PROJECT_SOURCE_DIR}/docs/man/${page}.md
            share/man/man${CMAKE_MATCH_2} ${page} COMPRESS
            COMMAND ${LOWDOWN} -s -tman "-Mtitle=${CMAKE_MATCH_1}" "-Msection=${CMAKE_MATCH_2}"
                -Mdate=2026-11-01 "-Msource=stanzagate ${PROJECT_VERSION}")
    endforeach()
endif()

# Examples and documents.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/config/rules DESTINATION ${docs}/examples)
install(FILES ${PROJECT_SOURCE_DIR}/config/stanzagate.example.toml DESTINATION ${docs}/examples)
install(DIRECTORY ${packaging}/fail2ban ${packaging}/monitoring DESTINATION ${docs}/examples)
install(FILES ${packaging}/debian/copyright README.md DESTINATION ${docs})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${docs}/docs
    FILES_MATCHING PATTERN "*.md" PATTERN man EXCLUDE PATTERN images EXCLUDE)
configure_file(${packaging}/debian/changelog.in ${made}/changelog.in @ONLY)
stanzagate_install_made(${made}/changelog.in ${docs} changelog.Debian COMPRESS)
stanzagate_install_made(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${docs} changelog COMPRESS)
install(FILES ${packaging}/debian/lintian-overrides
    DESTINATION share/lintian/overrides RENAME stanzagate)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the stanzagate authors <stanzagate@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "systemd | systemd-standalone-sysusers | systemd-sysusers, systemd | systemd-standalone-tmpfiles | systemd-tmpfiles, tzdata")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "fail2ban, prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${packaging}/debian/conffiles ${packaging}/debian/postinst
    ${packaging}/debian/prerm ${packaging}/debian/postrm)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "registration gate for XMPP servers")
set(CPACK_PACKAGE_DESCRIPTION
"stanzagate stands at the network edge in front of Prosody, ejabberd or any
other XMPP server. It ends TLS, answers in-band registration from addresses
that are not allowed with a redirect to a web page, and passes everything
else through unchanged. Rules by network, country, DNS list, invitation,
time and quota decide who registers.")
include(CPack)
