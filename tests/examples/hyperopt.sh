#!/bin/sh
# hyperopt.sh HYPEROPT HYPEROPT_ERROR SCRIPT DATA: in five steps the validation loss falls, by exact and by approximate
# inverses; Nystrom's error falls with its rows; and what both write is drawn.
set -eu
hyperopt=$1
hyperopt_error=$2
script=$3
data=$4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail()
{
    echo "FAIL: $*"
    exit 1
}

# column NAME: what a CSV holds there, a line a step
column()
{
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' "$dir/run.csv"
}

for method in dense cg nystrom_pcg gauss_newton; do
    "$hyperopt" --data "$data" --csv "$dir/run.csv" --steps 5 --method $method > "$dir/line" 2> "$dir/said" ||
        fail "hyperopt by $method"
    column validation | awk 'NR > 1 && !($1 < last) { bad = 1 } { last = $1 } END { exit bad || NR != 6 }' ||
        fail "$method: the validation loss does not fall: $(column validation)"
    grep -q "^method=$method steps=5 .* test_after=" "$dir/line" || fail "$method: no final line"
done

# Its own error, and that against the damped solution: less at each of 1, 11, 21 and all 31 rows than before.
"$hyperopt_error" --rows "$data" > "$dir/rows.csv" || fail "hyperopt_error --rows"
awk -F, 'NR == 1 || $2 % 10 != 1 { next }
         $2 > 1 && !($3 < error && $6 < damped) { bad = 1 }
         { error = $3; damped = $6; seen++ }
         END { exit bad || seen != 12 }' "$dir/rows.csv" || fail "the error does not fall with the rows"

status=0
"$hyperopt_error" "$dir/line" > "$dir/nothing" 2> "$dir/said" || status=$?
[ "$status" -eq 1 ] && grep -q "cannot be read" "$dir/said" || fail "hyperopt_error took another file"

command -v gnuplot > /dev/null || exit 0
for csv in run rows; do
    sh "$script" "$dir/$csv.csv" "$dir/$csv.png" || fail "$csv was not drawn"
    [ "$(head -c 4 "$dir/$csv.png" | tail -c 3)" = PNG ] || fail "$csv.png is no picture"
done
sh "$script" "$dir/line" "$dir/page.png" > "$dir/said" 2>&1 && fail "a file that is no CSV was drawn"
exit 0
