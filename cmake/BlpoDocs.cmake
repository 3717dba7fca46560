# Target docs: the reference, from the public headers and docs/*.md. Warnings are errors.

option(BLPO_TEST_DOCS "Building the reference is one of the tests" OFF)
find_program(DOXYGEN_EXECUTABLE doxygen)
if(DOXYGEN_EXECUTABLE)
    file(GLOB pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/*.md")
    set(input "${PROJECT_SOURCE_DIR}/include/blpo" ${pages})
    set(BLPO_DOXYGEN_MAINPAGE "")
    if(EXISTS "${PROJECT_SOURCE_DIR}/README.md")
        list(APPEND input "${PROJECT_SOURCE_DIR}/README.md")
        set(BLPO_DOXYGEN_MAINPAGE "\"${PROJECT_SOURCE_DIR}/README.md\"")
    endif()
    list(JOIN input "\" \"" input)
    set(BLPO_DOXYGEN_INPUT "\"${input}\"")
    configure_file("${PROJECT_SOURCE_DIR}/docs/Doxyfile.in" "${PROJECT_BINARY_DIR}/Doxyfile" @ONLY)
    file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/docs")
    add_custom_target(docs
        COMMAND "${DOXYGEN_EXECUTABLE}" "${PROJECT_BINARY_DIR}/Doxyfile"
        COMMAND "${CMAKE_COMMAND}" -E echo "Reference: ${PROJECT_BINARY_DIR}/docs/html/index.html"
        WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
        COMMENT "Reference by doxygen" VERBATIM)
    if(BLPO_BUILD_TESTS AND BLPO_TEST_DOCS)
        add_test(NAME docs COMMAND "${DOXYGEN_EXECUTABLE}" "${PROJECT_BINARY_DIR}/Doxyfile"
            WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
        set_tests_properties(docs PROPERTIES LABELS docs)
    endif()
elseif(BLPO_TEST_DOCS)
    message(FATAL_ERROR "BLPO_TEST_DOCS is on, but doxygen was not found. On Debian install doxygen.")
else()
    message(STATUS "doxygen (Debian: doxygen) not found: no target docs")
endif()
