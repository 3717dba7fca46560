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

# What no update of a sound run has at zero, and shares, which may be anything from 0 to 1.
numbers="update_return_mean length_mean steps_per_second critic_gradient_norm_before critic_gradient_norm critic_loss_before
    critic_loss best_response_gap direct_norm implicit_norm cosine hypergradient_norm relative_residual condition_estimate
    largest_eigenvalue condition_number entropy approx_kl"
shares="kappa_bound_share indefinite_share fallback_share clip_fraction"

for critic in network linear; do
    "$diagnose" "$critic" --quiet --steps 512 --csv "$dir/$critic.csv" > "$dir/line" || fail "diagnose $critic"
    for name in $numbers; do
        value "$name" | awk '{ x = $1 } END { exit !(x + 0 != 0) }' || fail "$critic: $name is \"$(value "$name")\""
    done
    for name in $shares; do
        value "$name" | awk '{ x = $1 } END { exit !(x != "" && x >= 0 && x <= 1) }' || fail "$critic: $name is \"$(value "$name")\""
    done
    # A critic that has seen nothing explains nothing: 0, to its random weights.
    value explained_variance | awk '{ x = $1 } END { exit !(x != "" && x * x < 0.01) }' ||
        fail "$critic: explained_variance is \"$(value explained_variance)\""
done
for name in $numbers $shares explained_variance best_response_rank; do
    grep -q "\b$name [1234] " "$script" || fail "$name is not drawn"
done
value best_response_rank | awk '{ x = $1 } END { exit !(x >= 5 && x <= 15) }' || fail "linear: the rank is $(value best_response_rank)"

# What it is to be told is in its usage, asked for or not.
"$diagnose" --help > "$dir/said"
for text in "network|linear" "plot_diagnostics.sh" "(diagnose.csv)"; do grep -q -F "$text" "$dir/said" || fail "--help lacks $text"; done
status=0
"$diagnose" neither > "$dir/line" 2> "$dir/said" || status=$?
[ "$status" -eq 2 ] && grep -q -F "network|linear" "$dir/said" || fail "took: neither"

command -v gnuplot > /dev/null || exit 0
sh "$script" "$dir/linear.csv" "$dir/page.png" > "$dir/said" 2>&1 && fail "one update cannot be drawn, and was"
"$diagnose" linear --quiet --steps 2048 --csv "$dir/linear.csv" > "$dir/line"
sh "$script" "$dir/linear.csv" "$dir/page.png" || fail "the page was not drawn"
[ "$(head -c 4 "$dir/page.png" | tail -c 3)" = PNG ] || fail "the page is no picture"
sh "$script" "$dir/linear.csv" "$dir/nowhere/page.png" > "$dir/line" 2> "$dir/said" && fail "it drew to nowhere"
[ ! -s "$dir/line" ] && grep -q "nowhere/page.png" "$dir/said" || fail "a picture without a place went to stdout"
sh "$script" "$dir/none.csv" "$dir/page.png" > "$dir/line" 2> "$dir/said" && fail "it drew a CSV that is not there"
[ "$(wc -l < "$dir/said")" -eq 1 ] || fail "a CSV that is not there has more than one message"
