# Finds BLAS, LAPACKE, Random123, threads and libm, checks that they fit, and sums them up in blpo_dependencies.
#
# Sets BLPO_BLAS_FOUND (OpenBLAS, BLIS or CBLAS), BLPO_BLAS_MACRO, BLPO_PC_LIBS_PRIVATE (link line of the static library).

include(CheckCSourceCompiles)
include(CMakePushCheckState)
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG OFF)
find_package(Threads REQUIRED)

# -- BLAS ---------------------------------------------------------------------------------------------------------
# Each of the three sets blas_libraries (files), blas_includes (directories), blas_pc (the line for --static).

macro(blpo_find_openblas)
    pkg_check_modules(BLPO_OPENBLAS QUIET openblas)
    if(BLPO_OPENBLAS_FOUND)
        set(blas_libraries ${BLPO_OPENBLAS_LINK_LIBRARIES})
        set(blas_includes ${BLPO_OPENBLAS_INCLUDE_DIRS})
        set(blas_pc ${BLPO_OPENBLAS_LDFLAGS})
        set(blas_detail "${BLPO_OPENBLAS_VERSION}")
    else()
        find_library(BLPO_OPENBLAS_LIBRARY openblas PATH_SUFFIXES openblas-pthread openblas-serial openblas-openmp)
        find_path(BLPO_OPENBLAS_INCLUDE openblas_config.h
            PATH_SUFFIXES openblas openblas-pthread openblas-serial openblas-openmp)
        if(BLPO_OPENBLAS_LIBRARY AND BLPO_OPENBLAS_INCLUDE)
            set(blas_libraries "${BLPO_OPENBLAS_LIBRARY}")
            set(blas_includes "${BLPO_OPENBLAS_INCLUDE}")
            set(blas_pc -lopenblas)
        endif()
    endif()
endmacro()

# BLIS has no .pc file in Debian, and the <cblas.h> on the default path may belong to another BLAS (they are alternatives): only
# one that lies beside a blis.h is its own.
macro(blpo_find_blis)
    find_library(BLPO_BLIS_LIBRARY blis PATH_SUFFIXES blis-openmp blis-pthread blis-serial)
    find_path(BLPO_BLIS_INCLUDE NAMES blis.h
        PATH_SUFFIXES blis-openmp blis-pthread blis-serial blis
        PATHS "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/blis-openmp"
              "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/blis-pthread"
              "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/blis-serial")
    if(BLPO_BLIS_LIBRARY AND BLPO_BLIS_INCLUDE AND EXISTS "${BLPO_BLIS_INCLUDE}/cblas.h")
        set(blas_libraries "${BLPO_BLIS_LIBRARY}")
        set(blas_includes "${BLPO_BLIS_INCLUDE}")
        set(blas_pc -lblis)
    endif()
endmacro()

macro(blpo_find_cblas)
    foreach(module cblas cblas-netlib blas-netlib blas)
        pkg_check_modules(BLPO_CBLAS QUIET ${module})
        if(BLPO_CBLAS_FOUND)
            set(blas_libraries ${BLPO_CBLAS_LINK_LIBRARIES})
            set(blas_pc ${BLPO_CBLAS_LDFLAGS})
            set(blas_detail "${module} ${BLPO_CBLAS_VERSION}")
            break()
        endif()
    endforeach()
    if(NOT blas_libraries)
        find_package(BLAS QUIET)
        if(BLAS_FOUND)
            set(blas_libraries ${BLAS_LIBRARIES})
            set(blas_pc ${BLAS_LIBRARIES})
        endif()
    endif()
    find_path(BLPO_CBLAS_INCLUDE cblas.h HINTS ${BLPO_CBLAS_INCLUDE_DIRS})
    if(NOT BLPO_CBLAS_INCLUDE)
        set(blas_libraries "")
    endif()
    set(blas_includes "${BLPO_CBLAS_INCLUDE}")
endmacro()

set(BLPO_BLAS_FOUND "")
if(BLPO_BLAS STREQUAL "auto")
    set(candidates OpenBLAS BLIS CBLAS)
elseif(BLPO_BLAS MATCHES "^(OpenBLAS|BLIS|CBLAS)$")
    set(candidates "${BLPO_BLAS}")
else()
    message(FATAL_ERROR "BLPO_BLAS is \"${BLPO_BLAS}\"; it must be auto, OpenBLAS, BLIS or CBLAS.")
endif()
foreach(candidate IN LISTS candidates)
    set(blas_libraries "")
    set(blas_includes "")
    set(blas_pc "")
    set(blas_detail "")
    string(TOLOWER "${candidate}" lower)
    cmake_language(CALL "blpo_find_${lower}")
    if(blas_libraries)
        set(BLPO_BLAS_FOUND "${candidate}")
        break()
    endif()
endforeach()
if(NOT BLPO_BLAS_FOUND)
    if(BLPO_BLAS STREQUAL "BLIS")
        set(package "libblis-dev")
    elseif(BLPO_BLAS STREQUAL "CBLAS")
        set(package "libblas-dev, or any other with a <cblas.h>")
    else()
        set(package "libopenblas-dev")
    endif()
    message(FATAL_ERROR "No BLAS found (BLPO_BLAS=${BLPO_BLAS}). On Debian install ${package}, "
        "or choose another with -DBLPO_BLAS=OpenBLAS|BLIS|CBLAS.")
endif()
string(TOUPPER "BLPO__BLAS_${BLPO_BLAS_FOUND}" BLPO_BLAS_MACRO)

# The check is remembered by its inputs: another BLAS in the same build directory is checked again.
string(MAKE_C_IDENTIFIER "BLPO_INT32_${blas_libraries}" blas_check)
cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_INCLUDES ${blas_includes})
set(CMAKE_REQUIRED_LIBRARIES ${blas_libraries} Threads::Threads m)
set(CMAKE_REQUIRED_QUIET ON)
check_c_source_compiles("
    #include <stddef.h>
    #include <cblas.h>
    _Static_assert(_Generic(&cblas_sdot, float (*)(int, const float *, int, const float *, int): 1, default: 0), \"int\");
    int main(void) { float x = 1.0f; return (int)cblas_sdot(1, &x, 1, &x, 1); }" ${blas_check})
if(NOT ${blas_check})
    check_c_source_compiles("
        #include <stddef.h>
        #include <cblas.h>
        int main(void) { float x = 1.0f; return (int)cblas_sdot(1, &x, 1, &x, 1); }" ${blas_check}_ANY)
endif()
cmake_pop_check_state()
if(NOT ${blas_check})
    if(${blas_check}_ANY)
        message(FATAL_ERROR "${BLPO_BLAS_FOUND} (${blas_libraries}) counts with integers that are not 32 bits wide (an ILP64 or "
            "INTERFACE64 build). libblpo needs the ordinary one; on Debian: libopenblas-dev, not libopenblas64-dev.")
    endif()
    message(FATAL_ERROR "${BLPO_BLAS_FOUND} was found (${blas_libraries}, headers in ${blas_includes}), but a program that calls "
        "cblas_sdot does not build with it. ${PROJECT_BINARY_DIR}/CMakeFiles/CMakeError.log says why.")
endif()

# -- LAPACKE ------------------------------------------------------------------------------------------------------
pkg_check_modules(BLPO_LAPACKE QUIET lapacke)
if(BLPO_LAPACKE_FOUND)
    set(lapacke_libraries ${BLPO_LAPACKE_LINK_LIBRARIES})
    set(lapacke_pc ${BLPO_LAPACKE_LDFLAGS})
    find_path(BLPO_LAPACKE_INCLUDE lapacke.h HINTS ${BLPO_LAPACKE_INCLUDE_DIRS})
else()
    find_library(BLPO_LAPACKE_LIBRARY lapacke)
    find_path(BLPO_LAPACKE_INCLUDE lapacke.h PATH_SUFFIXES lapacke)
    set(lapacke_libraries "${BLPO_LAPACKE_LIBRARY}")
    set(lapacke_pc -llapacke)
endif()
if(NOT lapacke_libraries OR NOT BLPO_LAPACKE_INCLUDE)
    message(FATAL_ERROR "LAPACKE not found. On Debian install liblapacke-dev.")
endif()
cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_INCLUDES ${BLPO_LAPACKE_INCLUDE} ${blas_includes})
set(CMAKE_REQUIRED_LIBRARIES ${lapacke_libraries} ${blas_libraries} Threads::Threads m)
set(CMAKE_REQUIRED_QUIET ON)
check_c_source_compiles("
    #include <lapacke.h>
    _Static_assert(sizeof(lapack_int) == 4, \"int\");
    int main(void) { return 0; }" BLPO_LAPACK_INT_IS_32_BITS)
check_c_source_compiles("
    #include <lapacke.h>
    int main(void) { double a = 1.0; return (int)LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', 1, &a, 1); }" BLPO_LAPACKE_LINKS)
cmake_pop_check_state()
if(NOT BLPO_LAPACK_INT_IS_32_BITS)
    message(FATAL_ERROR "LAPACK integers are not 32 bits wide here: sizeof(lapack_int) != 4 in ${BLPO_LAPACKE_INCLUDE}/lapacke.h, or the "
        "header does not compile (an ILP64 LAPACKE, or -DLAPACK_ILP64 in CFLAGS). libblpo needs 32-bit LAPACK integers; on Debian: "
        "liblapacke-dev, not liblapacke64-dev.")
endif()
if(NOT BLPO_LAPACKE_LINKS)
    message(FATAL_ERROR "A program that calls LAPACKE does not link with ${lapacke_libraries}. On Debian install liblapacke-dev; "
        "${PROJECT_BINARY_DIR}/CMakeFiles/CMakeError.log says why.")
endif()

# -- Random123: headers alone ---------------------------------------------------------------------------------------
find_path(BLPO_RANDOM123_INCLUDE Random123/philox.h)
if(NOT BLPO_RANDOM123_INCLUDE)
    message(FATAL_ERROR "Random123/philox.h not found. On Debian install librandom123-dev.")
endif()

# -- The sum --------------------------------------------------------------------------------------------------------
add_library(blpo_dependencies INTERFACE)
target_include_directories(blpo_dependencies SYSTEM INTERFACE
    ${blas_includes} ${BLPO_LAPACKE_INCLUDE} ${BLPO_RANDOM123_INCLUDE})
if(BLPO_BLAS_FOUND STREQUAL "BLIS")
    # Its <cblas.h> needs the POSIX types, which -std=c11 hides, and comes too late to ask for them itself.
    target_compile_definitions(blpo_dependencies INTERFACE _POSIX_C_SOURCE=200809L)
endif()
set(BLPO_LINK_LIBRARIES ${lapacke_libraries} ${blas_libraries} Threads::Threads m)
# What libblpo.a names itself, and not what those libraries need in turn: they are shared, and know. For `cc -static` add
# $(pkg-config --static --libs lapacke openblas), which asks for libgfortran's development files as well.
set(BLPO_PC_LIBS_PRIVATE ${lapacke_pc} ${blas_pc} ${CMAKE_THREAD_LIBS_INIT} -lpthread -lm)
list(REMOVE_DUPLICATES BLPO_PC_LIBS_PRIVATE)
list(JOIN BLPO_PC_LIBS_PRIVATE " " BLPO_PC_LIBS_PRIVATE)
message(STATUS "BLAS: ${BLPO_BLAS_FOUND} ${blas_detail} (${blas_libraries})")
