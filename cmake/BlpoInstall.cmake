# cmake --install: libraries, headers, pkg-config file, CMake package, documents and example sources.
#
# Nothing installed holds an absolute path of the install tree, so that DESTDIR, `cmake --install --prefix` and a tree that is
# moved later all work.

include(CMakePackageConfigHelpers)

install(TARGETS blpo blpo_static EXPORT blpoTargets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/blpo" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    COMPONENT development FILES_MATCHING PATTERN "*.h")

if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(BLPO_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
    set(BLPO_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(BLPO_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
    file(RELATIVE_PATH up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(BLPO_PC_PREFIX "\${pcfiledir}/${up}")
    set(BLPO_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(BLPO_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file("${PROJECT_SOURCE_DIR}/pkgconfig/blpo.pc.in" "${PROJECT_BINARY_DIR}/blpo.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/blpo.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/blpo")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/blpoConfig.cmake.in" "${PROJECT_BINARY_DIR}/blpoConfig.cmake"
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/blpoConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(EXPORT blpoTargets NAMESPACE blpo:: DESTINATION "${package_dir}" COMPONENT development)
install(FILES "${PROJECT_BINARY_DIR}/blpoConfig.cmake" "${PROJECT_BINARY_DIR}/blpoConfigVersion.cmake"
    DESTINATION "${package_dir}" COMPONENT development)

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
    DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime OPTIONAL)
# As README and headers point at them: docs/NAME.md beside README.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT development
    FILES_MATCHING PATTERN "*.md" PATTERN "*.png")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT development
    USE_SOURCE_PERMISSIONS
    FILES_MATCHING PATTERN "*.c" PATTERN "*.cpp" PATTERN "*.h" PATTERN "*.sh" PATTERN "*.csv" PATTERN "README.md")
