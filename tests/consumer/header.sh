#!/bin/sh
# header.sh INCLUDE_DIR NAME.h COMPILER LANGUAGE STANDARD: a public header compiles alone, and twice, with no warning.
set -eu
printf '#include <blpo/%s>\n#include <blpo/%s>\nstruct blpo_header_test;\n' "$2" "$2" |
    "$3" -x "$4" "-std=$5" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror -fsyntax-only -I "$1" -
