# The public headers with every `float` made `double`, in the build tree, for the float64 build that the tests use. The installed
# headers are never touched. BLPO_FLOAT64_INCLUDE is the directory.

set(BLPO_FLOAT64_INCLUDE "${PROJECT_BINARY_DIR}/float64/include")
file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/blpo/*.h")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
foreach(header IN LISTS headers)
    file(READ "${header}" text)
    # CMake's regular expressions know no word boundary. Twice, because neighbouring matches share a character.
    foreach(pass RANGE 1)
        string(REGEX REPLACE "(^|[^A-Za-z0-9_.<])float([^A-Za-z0-9_.])" "\\1double\\2" text "${text}")
    endforeach()
    get_filename_component(name "${header}" NAME)
    set(copy "${BLPO_FLOAT64_INCLUDE}/blpo/${name}")
    set(old "")
    if(EXISTS "${copy}")
        file(READ "${copy}" old)
    endif()
    if(NOT text STREQUAL old) # an untouched file spares a rebuild
        file(WRITE "${copy}" "${text}")
    endif()
endforeach()
