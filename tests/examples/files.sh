#!/bin/sh
# files.sh CARTPOLE DEPLOY: what a training example leaves behind when a file cannot be written, and what it refuses to
# overwrite. /dev/full is a disk that is full.
set -eu
cartpole=$1
deploy=$2
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

# So is a directory, which no file can take the place of.
mkdir "$dir/place"
run 1 --save "$dir/place"
[ -d "$dir/place" ] && [ ! -s "$dir/line" ] || fail "it ran with a directory to save to"
grep -q "place: cannot be written" "$dir/said" || fail "nothing was said of the directory"

# Two files in one are wrong usage, whatever the names; going on from a checkpoint and replacing it is not.
run 2 --save "$dir/new" --checkpoint "$dir/new"
[ ! -e "$dir/new" ] || fail "wrong usage left a file"
run 2 --csv "$dir/./all" --resume "$dir/all"
run 2 --save "$dir/place/../all" --resume "$dir/all"
cmp -s "$dir/all" "$dir/copy" || fail "the checkpoint was overwritten"
run 0 --csv /dev/null --save /dev/null
run 0 --resume "$dir/copy" --checkpoint "$dir/copy"

# A pipe is written to, and stays one.
mkfifo "$dir/pipe"
cat "$dir/pipe" > "$dir/piped" &
run 0 --save "$dir/pipe"
wait
[ -p "$dir/pipe" ] && cmp -s "$dir/piped" "$dir/policy" || fail "the policy did not come through the pipe"

# A final line that is lost is an error too.
status=0
"$cartpole" --quiet --no-stop --steps 512 > /dev/full 2> "$dir/said" || status=$?
[ "$status" -eq 1 ] && grep -q "^stdout: " "$dir/said" || fail "the final line was lost in silence"

# deploy VALUE...: a number with something behind it is none
refuses()
{
    status=0
    "$deploy" "$dir/policy" "$@" > "$dir/line" 2> "$dir/said" || status=$?
    [ "$status" -eq 2 ] && [ ! -s "$dir/line" ] || fail "deploy took \"$*\""
}
refuses 5x
refuses 0
refuses -3
refuses 3 zz
refuses 3 18446744073709551616
"$deploy" "$dir/policy" 2 18446744073709551615 > "$dir/line" || fail "deploy refused sound numbers"
grep -q "^episodes=2 mean_return=" "$dir/line" || fail "deploy says nothing"
status=0
"$deploy" "$dir/policy" 1 > /dev/full 2> "$dir/said" || status=$?
[ "$status" -eq 1 ] || fail "the line of deploy was lost in silence"
