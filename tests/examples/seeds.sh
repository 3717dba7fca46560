#!/bin/sh
# seeds.sh SEEDS CARTPOLE SCRIPT: each seed learns what it learns alone, whatever runs beside it; nothing is lost in silence.
set -eu
seeds=$1
cartpole=$2
script=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail()
{
    echo "FAIL: $*"
    exit 1
}

# figures CSV: without the columns of time, which no two runs share
figures()
{
    awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) time[i] = $i == "seconds" || $i == "steps_per_second" }
                      { for (i = 1; i <= NF; i++) if (time[i]) $i = ""; print }' "$1"
}

steps=8192
for jobs in 1 4; do
    "$seeds" --quiet --seeds 5 --seed 3 --jobs $jobs --no-stop --steps $steps --csv "$dir/$jobs.csv" > "$dir/table" || fail "jobs $jobs"
    [ "$(grep -c "^ *[3-7] *$steps " "$dir/table")" -eq 5 ] || fail "the table has not all seeds"
    tail -n 1 "$dir/table" | grep -q "^method=blpo seeds=5 jobs=$jobs solved=[0-5] steps=$((5 * steps)) " || fail "the final line"
    figures "$dir/$jobs.csv" > "$dir/figures$jobs"
done
cmp -s "$dir/figures1" "$dir/figures4" || fail "the seeds depend on how many run at a time"
"$cartpole" --quiet --no-stop --seed 5 --steps $steps --csv "$dir/alone.csv" > "$dir/line"
figures "$dir/alone.csv" > "$dir/alone"
grep -E '^(method|blpo,5),' "$dir/figures4" | cmp -s - "$dir/alone" || fail "seed 5 is not that of cartpole"

for wrong in "--seeds 0" "--seeds 1001" "--jobs 0" "--jobs x" "--steps 0" "--method best" "more"; do
    status=0
    # shellcheck disable=SC2086
    "$seeds" $wrong > "$dir/line" 2> "$dir/said" || status=$?
    [ "$status" -eq 2 ] && [ ! -s "$dir/line" ] || fail "took: $wrong"
done
status=0
"$seeds" --quiet --seeds 2 --no-stop --steps 512 --csv "$dir/nowhere/a.csv" > "$dir/line" 2> "$dir/said" || status=$?
[ "$status" -eq 1 ] && [ ! -s "$dir/line" ] || fail "it ran without a place for its CSV"
status=0
"$seeds" --quiet --seeds 2 --no-stop --steps 512 --csv /dev/full > "$dir/line" 2> "$dir/said" || status=$?
[ "$status" -eq 1 ] && grep -q "not all was written" "$dir/said" && grep -q "^method=" "$dir/line" || fail "the CSV was lost in silence"
status=0
"$seeds" --quiet --seeds 2 --no-stop --steps 512 > /dev/full 2> "$dir/said" || status=$?
[ "$status" -eq 1 ] && grep -q "^stdout: " "$dir/said" || fail "the table was lost in silence"

command -v gnuplot > /dev/null || exit 0
sh "$script" "$dir/4.csv" "$dir/page.png" || fail "the picture was not drawn"
[ "$(head -c 4 "$dir/page.png" | tail -c 3)" = PNG ] || fail "the picture is none"
sh "$script" "$dir/4.csv" "$dir/nowhere/page.png" > "$dir/line" 2> "$dir/said" && fail "it drew to nowhere"
[ ! -s "$dir/line" ] && grep -q "nowhere/page.png" "$dir/said" || fail "a picture without a place went to stdout"
