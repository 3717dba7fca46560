# blpo_flags: what every target of the project is compiled with. Not installed.

add_library(blpo_flags INTERFACE)
target_compile_options(blpo_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(BLPO_WARNINGS_AS_ERRORS)
    target_compile_options(blpo_flags INTERFACE -Werror)
endif()

if(BLPO_SANITIZE)
    target_compile_definitions(blpo_flags INTERFACE BLPO__SANITIZED=1)
    target_compile_options(blpo_flags INTERFACE
        "-fsanitize=${BLPO_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    target_link_options(blpo_flags INTERFACE "-fsanitize=${BLPO_SANITIZE}")
endif()

if(BLPO_COVERAGE)
    # Tests with threads count from several at once; without atomic counters gcov would read negative numbers.
    target_compile_options(blpo_flags INTERFACE --coverage -fprofile-update=atomic -O0 -g)
    target_link_options(blpo_flags INTERFACE --coverage)
    find_program(GCOVR_EXECUTABLE gcovr)
    if(GCOVR_EXECUTABLE)
        add_custom_target(coverage
            COMMAND "${GCOVR_EXECUTABLE}" --root "${PROJECT_SOURCE_DIR}" --filter "${PROJECT_SOURCE_DIR}/lib/"
                    --exclude-throw-branches --txt --html-details coverage.html --xml coverage.xml .
            COMMAND "${CMAKE_COMMAND}" -E echo "Pages: ${PROJECT_BINARY_DIR}/coverage.html"
            WORKING_DIRECTORY "${PROJECT_BINARY_DIR}"
            COMMENT "Coverage of the tests that ran in this build" VERBATIM)
    else()
        message(STATUS "gcovr (Debian: gcovr) not found: no target coverage")
    endif()
endif()

# Only what cannot change a result, for the library alone. Not -ffast-math: it reorders sums, assumes there is no NaN, and at link
# time switches the host program to flush subnormals. Without errno and traps, sqrt and comparisons become plain
# instructions and can be vectorised. -O3 is for the files where time goes (lib/CMakeLists.txt): with it everywhere the library
# is a fifth larger and hardly faster. A section for each function, so that the linker can leave out those that nobody calls.
set(BLPO_LIBRARY_OPTIONS -fno-math-errno -fno-trapping-math -ffunction-sections $<$<CONFIG:Release>:-O2>)
