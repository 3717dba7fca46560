#!/bin/sh
# layout.sh COMPILER INCLUDE_DIR: the public headers keep what tests/abi/layout.c says. Then the check of the check: copies of the
# headers with one change each, which it must refuse or take.
set -eu
compiler=$1 include=$2
here=$(cd "${0%/*}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

keeps() { "$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$1" "$here/layout.c"; }

# try accepted|refused WHAT HEADER SED_EXPRESSION
try()
{
    rm -rf "$work/include"
    cp -R "$include" "$work/include"
    sed "$4" "$include/blpo/$3" > "$work/include/blpo/$3"
    if cmp -s "$include/blpo/$3" "$work/include/blpo/$3"; then
        echo "FAIL: the change \"$2\" changes nothing"
        bad=1
    elif keeps "$work/include" > "$work/log" 2>&1; then
        [ "$1" = accepted ] || { echo "FAIL: accepted: $2"; bad=1; }
    else
        [ "$1" = refused ] || { echo "FAIL: refused: $2"; cat "$work/log"; bad=1; }
    fi
}

keeps "$include" || { echo "FAIL: programs built against released headers would break"; exit 1; }
try accepted "a field appended" trainer.h 's/^} blpo_config;/    int64_t more;\n&/'
try accepted "an enumerator appended" policy.h 's/BLPO_DETERMINISTIC = 1/&, BLPO_OTHER = 2/'
try refused "a field inserted" trainer.h 's/^    int64_t n_steps;/    int64_t more;\n&/'
try refused "a field made wider" env.h 's/int32_t autoreset;/int64_t autoreset;/'
try refused "two fields of equal width changed places" runtime.h 's/uint64_t seed; /uint64_t sead; /; s/uint64_t stream;/uint64_t seed;/; s/uint64_t sead; /uint64_t stream; /'
try refused "an enumerator with another number" env.h 's/BLPO_ACTION_CONTINUOUS = 2/BLPO_ACTION_CONTINUOUS = 3/'
try refused "a status with another number" status.h 's/BLPO_ERR_BUSY, -7/BLPO_ERR_BUSY, -77/'
try refused "a parameter of another type" policy.h 's/blpo_policy_obs_dim(const blpo_policy /blpo_policy_obs_dim(blpo_policy /'
try refused "a callback with another result" runtime.h 's/typedef void (\*blpo_task_fn)/typedef int (*blpo_task_fn)/'
exit "$bad"
