#!/bin/sh
# headers.sh INCLUDE_DIR COMPILER LANGUAGE STANDARD: every public header compiles alone, and twice, with no warning.
set -eu
bad=0
for header in "$1"/blpo/*.h; do
    name=blpo/${header##*/}
    printf '#include <%s>\n#include <%s>\nstruct blpo_header_test;\n' "$name" "$name" |
        "$2" -x "$3" "-std=$4" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror -fsyntax-only -I "$1" - ||
        { echo "FAIL: $name as $4"; bad=1; }
done
exit "$bad"
