#!/bin/sh
# declared.sh INCLUDE_DIR: names of all functions that the public headers export, sorted.
set -eu
grep -h -v '^#define BLPO_API' "$1"/blpo/*.h | tr '\n' ' ' | grep -o 'BLPO_API [^();]*(' | sed 's/ *($//; s/.*[ *]//' | LC_ALL=C sort
