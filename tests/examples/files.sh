#!/bin/sh
# files.sh CARTPOLE: what a training example leaves behind when a file cannot be written. /dev/full is a disk that is full.
set -eu
cartpole=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail()
{
    echo "FAIL: $*"
    exit 1
}

# run STATUS OPTION...: one update, which must end with that exit status
run()
{
    expected=$1
    shift
    status=0
    "$cartpole" --quiet --no-stop --steps 512 "$@" > "$dir/line" 2> "$dir/said" || status=$?
    [ "$status" -eq "$expected" ] || fail "exit status $status, not $expected: $*"
}

[ -c /dev/full ] || fail "there is no /dev/full here"

# The figures are lost, the run is not.
run 1 --csv /dev/full --checkpoint "$dir/all" --save "$dir/policy"
grep -q "not all was written" "$dir/said" || fail "nothing was said of the CSV"
grep -q "^method=blpo seed=0 steps=512 " "$dir/line" || fail "no final line"
[ -s "$dir/all" ] && [ -s "$dir/policy" ] || fail "the checkpoint or the policy is not there"

# The checkpoint is whole: 512 steps more end at 1024.
"$cartpole" --quiet --no-stop --steps 1024 --resume "$dir/all" > "$dir/line" || fail "the checkpoint was refused"
grep -q " steps=1024 " "$dir/line" || fail "the resumed run did not go on"

# A place that cannot be written is known before the run, and what is there already stays.
cp "$dir/all" "$dir/copy"
run 1 --checkpoint "$dir/nowhere/all" --save "$dir/copy"
cmp -s "$dir/all" "$dir/copy" || fail "a run that did not begin has overwritten a file"
[ ! -s "$dir/line" ] || fail "it ran"
