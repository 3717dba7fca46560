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
[ "$status" -eq 1 ] && grep -q "not the CSV" "$dir/said" || fail "hyperopt_error took another file"
status=0
"$hyperopt_error" "$dir/nowhere" > "$dir/nothing" 2> "$dir/said" || status=$?
[ "$status" -eq 1 ] && grep -q "nowhere: No such file" "$dir/said" || fail "hyperopt_error does not say why there is no data"

# refuses TEXT OPTION...: wrong usage, which the first line names
refuses()
{
    text=$1
    shift
    status=0
    "$hyperopt" --data "$data" "$@" > "$dir/nothing" 2> "$dir/said" || status=$?
    [ "$status" -eq 2 ] && [ ! -s "$dir/nothing" ] && head -n 1 "$dir/said" | grep -q -e "$text" || fail "hyperopt took $*"
}
refuses '--steps: "1x"' --steps 1x
refuses '--steps: "0"' --steps 0
refuses '--method: "foo"' --method foo
refuses '--rank: "3.5"' --method nystrom --rank 3.5
refuses '--rho: "1e-3z"' --rho 1e-3z
refuses '--rho: "-1"' --rho -1
refuses 'nystrom_pcg, not for dense' --rank 5
refuses 'what is "more"' more
for wrong in "--row" "--rows --rows" "$data $data"; do
    status=0
    # shellcheck disable=SC2086
    "$hyperopt_error" $wrong > "$dir/nothing" 2> "$dir/said" || status=$?
    [ "$status" -eq 2 ] && [ ! -s "$dir/nothing" ] || fail "hyperopt_error took: $wrong"
done

command -v gnuplot > /dev/null || exit 0
for csv in run rows; do
    sh "$script" "$dir/$csv.csv" "$dir/$csv.png" || fail "$csv was not drawn"
    [ "$(head -c 4 "$dir/$csv.png" | tail -c 3)" = PNG ] || fail "$csv.png is no picture"
done
sh "$script" "$dir/line" "$dir/page.png" > "$dir/said" 2>&1 && fail "a file that is no CSV was drawn"
head -n 90 "$dir/rows.csv" > "$dir/part.csv"
sh "$script" "$dir/part.csv" "$dir/page.png" > "$dir/said" 2>&1 && fail "half of the rows were drawn"
grep -q "rho = 0.0001 is missing" "$dir/said" || fail "nothing was said of the rows that are missing"
sh "$script" "$dir/rows.csv" "$dir/nowhere/page.png" > "$dir/nothing" 2> "$dir/said" && fail "it drew to nowhere"
[ ! -s "$dir/nothing" ] && grep -q "nowhere/page.png" "$dir/said" || fail "a picture without a place went to stdout"
exit 0
