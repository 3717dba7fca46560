#!/bin/sh
# diagnose.sh DIAGNOSE SCRIPT: every diagnostic is measured in the first update, for both kinds of critic, and drawn.
set -eu
diagnose=$1
script=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail()
{
    echo "FAIL: $*"
    exit 1
}

# value COLUMN: that of the first update
value()
{
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
                          NR == 2 { if (at) print $at }' "$dir/$critic.csv"
}

diagnostics="critic_gradient_norm_before critic_gradient_norm critic_loss_before critic_loss best_response_gap direct_norm
    implicit_norm cosine hypergradient_norm kappa_bound_share indefinite_share fallback_share relative_residual
    condition_estimate largest_eigenvalue condition_number explained_variance entropy clip_fraction"

for critic in network linear; do
    "$diagnose" "$critic" --quiet --steps 512 --csv "$dir/$critic.csv" > "$dir/line" || fail "diagnose $critic"
    for name in $diagnostics; do
        [ -n "$(value "$name")" ] || fail "$critic: $name was not measured"
        grep -q "\b$name [123] " "$script" || fail "$name is not drawn"
    done
done
value best_response_rank | awk '{ exit !($1 >= 5 && $1 <= 15) }' || fail "linear: the rank is $(value best_response_rank)"

command -v gnuplot > /dev/null || exit 0
sh "$script" "$dir/linear.csv" "$dir/page.png" > "$dir/said" 2>&1 && fail "one update cannot be drawn, and was"
"$diagnose" linear --quiet --steps 2048 --csv "$dir/linear.csv" > "$dir/line"
sh "$script" "$dir/linear.csv" "$dir/page.png" || fail "the page was not drawn"
[ "$(head -c 4 "$dir/page.png" | tail -c 3)" = PNG ] || fail "the page is no picture"
