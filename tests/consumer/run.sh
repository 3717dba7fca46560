#!/bin/sh
# run.sh WAY PREFIX WORK: builds and runs a program against the tree installed in PREFIX, in the way that WAY names. CC, CXX and
# CMAKE come from the environment. WAY:
#
#   pkg-config-shared   cc consumer.c $(pkg-config --cflags --libs blpo)
#   pkg-config-static   the same with --static, where both libraries are installed and where libblpo.a is alone
#   pkg-config-cxx      c++ consumer.cpp $(pkg-config --cflags --libs blpo)
#   cmake-shared        find_package(blpo), blpo::blpo
#   cmake-static        find_package(blpo), blpo::blpo_static
#   moved               pkg-config-shared, after PREFIX has been copied to another place
#   example FILE        cc FILE $(pkg-config --cflags --libs blpo), built and not run
#   readme FILE DIR     the program of FILE, built as FILE says with the headers in DIR, and run to its end
set -eu
way=$1 prefix=$2 work=$3
here=$(cd "${0%/*}" && pwd)
: "${CC:=cc}" "${CXX:=c++}" "${CMAKE:=cmake}"
strict="-std=c11 -Wall -Wextra -Wpedantic -Werror"

# compile COMPILER WORDS_OF_THE_SHELL: pkg-config quotes its words for the shell, and paths may hold spaces.
compile()
{
    echo "+ $1 $2"
    eval "\"\$1\" $2"
}
rm -rf "$work"
mkdir -p "$work"

# use PREFIX: what pkg-config and the loader see of it
use()
{
    pc=$(find "$1" -name blpo.pc)
    [ -n "$pc" ] || { echo "no blpo.pc below $1"; exit 1; }
    libdir=${pc%/pkgconfig/blpo.pc}
    PKG_CONFIG_PATH=${pc%/blpo.pc}
    LD_LIBRARY_PATH=$libdir
    export PKG_CONFIG_PATH LD_LIBRARY_PATH
}

# verbose COMMAND...: a failing line can be repeated by hand
verbose()
{
    echo "+ $*"
    "$@"
}

# links_shared PROGRAM yes|no
links_shared()
{
    if readelf -d "$1" | grep -q 'NEEDED.*libblpo\.so\.0'; then found=yes; else found=no; fi
    [ "$found" = "$2" ] || { echo "$1 needs libblpo.so.0: $found, expected $2"; exit 1; }
}

use "$prefix"
case $way in
pkg-config-shared | moved)
    if [ "$way" = moved ]; then
        cp -R "$prefix" "$work/elsewhere"
        use "$work/elsewhere"
        case $(pkg-config --cflags --libs blpo) in
        *"$prefix"/*) echo "blpo.pc still names $prefix"; exit 1 ;;
        esac
    fi
    flags=$(pkg-config --cflags --libs blpo)
    compile "$CC" "$strict \"\$here/consumer.c\" $flags -o \"\$work/consumer\""
    links_shared "$work/consumer" yes
    verbose "$work/consumer"
    ;;
pkg-config-static)
    flags=$(pkg-config --cflags --static --libs blpo | sed 's/-lblpo/-l:libblpo.a/')
    compile "$CC" "$strict \"\$here/consumer.c\" $flags -o \"\$work/consumer\""
    links_shared "$work/consumer" no
    verbose "$work/consumer"
    cp -R "$prefix" "$work/alone"
    rm "$work/alone/${libdir#"$prefix"/}"/libblpo.so*
    use "$work/alone"
    flags=$(pkg-config --cflags --static --libs blpo)
    compile "$CC" "$strict \"\$here/consumer.c\" $flags -o \"\$work/consumer_alone\""
    links_shared "$work/consumer_alone" no
    verbose "$work/consumer_alone"
    ;;
readme)
    # shellcheck disable=SC2034 # compile() reads it
    examples=$5
    # shellcheck disable=SC2016 # the marks of a program, no command
    sed -n '/^```c$/,/^```$/p' "$4" | grep -v '^```' > "$work/prog.c"
    grep -q 'int main' "$work/prog.c" || { echo "FAIL: no program in $4"; exit 1; }
    flags=$(pkg-config --cflags --libs blpo)
    compile "$CC" "-Wall -Wextra -Werror \"-I\$examples\" \"\$work/prog.c\" $flags -o \"\$work/prog\""
    verbose "$work/prog"
    ;;
pkg-config-cxx)
    flags=$(pkg-config --cflags --libs blpo)
    compile "$CXX" "-std=c++11 -Wall -Wextra -Wpedantic -Werror \"\$here/consumer.cpp\" $flags -o \"\$work/consumer\""
    links_shared "$work/consumer" yes
    verbose "$work/consumer"
    ;;
cmake-shared | cmake-static)
    if [ "$way" = cmake-shared ]; then target=blpo::blpo; else target=blpo::blpo_static; fi
    verbose "$CMAKE" -S "$here" -B "$work/build" "-DCMAKE_C_COMPILER=$CC" "-DCMAKE_PREFIX_PATH=$prefix" "-DTARGET=$target"
    verbose "$CMAKE" --build "$work/build"
    if [ "$way" = cmake-shared ]; then links_shared "$work/build/consumer" yes; else links_shared "$work/build/consumer" no; fi
    unset LD_LIBRARY_PATH
    verbose "$work/build/consumer"
    ;;
example)
    flags=$(pkg-config --cflags --libs blpo)
    source=$4
    case $source in
    *.cpp) compile "$CXX" "\"\$source\" $flags -o \"\$work/program\"" ;;
    *) compile "$CC" "\"\$source\" $flags -o \"\$work/program\"" ;;
    esac
    ;;
*)
    echo "unknown way: $way"
    exit 2
    ;;
esac
