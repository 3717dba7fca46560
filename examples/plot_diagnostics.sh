#!/bin/sh
# Draws a page of diagnostics from the CSV that diagnose (or a training example with --csv) writes. Needs gnuplot (Debian:
# gnuplot-nox).
#
#     ./plot_diagnostics.sh CSV PNG
#
# Dots are updates, lines are means over a 60th of the run. What was not measured is left out.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 CSV PNG" >&2
    exit 2
fi
csv=$1
png=$2
command -v gnuplot >/dev/null || { echo "$0: gnuplot not found (Debian: apt-get install gnuplot-nox)" >&2; exit 1; }
true < "$csv" || exit 1
head -n 1 "$csv" | grep -q '^method,seed,solved,steps,.*best_response_gap' ||
    { echo "$0: $csv: not a CSV of the training examples, or one of an older version" >&2; exit 1; }
rows=$(awk 'END { print NR - 1 }' "$csv")
[ "$rows" -ge 2 ] || { echo "$0: $csv: fewer than two updates in it" >&2; exit 1; }

# The column of that name has a number in some row: gnuplot stops at a plot without points.
measured() {
    awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
                          at && $at != "" { found = 1; exit } END { exit !found }' "$csv"
}

# series COLUMN STYLE TITLE ...: the clauses of a plot, each as faint points and a line of means.
series() {
    clauses=
    while [ $# -ge 3 ]; do
        if measured "$1"; then
            clauses="$clauses${clauses:+, }'$quoted' using (column('steps')/1000):(column('$1')) with points pointtype 7 pointsize 0.25 \
                linecolor rgb faint$2 notitle, '' using (mid(0)):(column('$1')) smooth unique with lines linestyle $2 title '$3'"
        fi
        shift 3
    done
    [ -n "$clauses" ] || clauses="x with lines linecolor rgb '#ffffff' title 'not measured'"
    echo "$clauses"
}

quoted=$(printf '%s' "$csv" | sed "s/'/''/g")
out=$(printf '%s' "$png" | sed "s/'/''/g")
thousands=$(awk -F, 'END { print $4 / 1000 }' "$csv")
bin=$(awk -F, 'END { printf("%d", $4 / 60 + 1) }' "$csv")

# gnuplot draws to stdout when it cannot open its file.
true >> "$png" || exit 1
gnuplot >/dev/null <<EOF
set terminal pngcairo size 1650,1500 font 'sans,12' background '#ffffff'
set output '$out'
set datafile separator ','
set datafile columnheaders
set border 3 linecolor '#606060'
set tics nomirror textcolor '#303030'
set grid linecolor '#e8e8e8' linetype 1 linewidth 1
set style line 1 linewidth 2 linecolor '#0072b2'
set style line 2 linewidth 2 linecolor '#d55e00'
set style line 3 linewidth 2 linecolor '#009e73'
set style line 4 linewidth 2 linecolor '#cc79a7'
faint1 = '#a6cee6'
faint2 = '#f0c3a0'
faint3 = '#a3d6c6'
faint4 = '#ecccdf'
mid(dummy) = ($bin * (floor((column('steps') - 1) / $bin) + 0.5)) / 1000
set xrange [0:$thousands]
set key at graph 1, graph 1.075 right center horizontal Left reverse maxrows 1 samplen 1 width -1 noautotitle
set title font 'sans,13' offset 0,0.9
set lmargin 9
set rmargin 3
set multiplot layout 4,3 margins 0.05,0.985,0.06,0.957 spacing 0.055,0.08

set title 'return'
set offsets 0, 0, graph 0.04, graph 0.04
plot $(series update_return_mean 1 'of an update')
set title 'steps of an episode, mean of the last hundred'
plot $(series length_mean 1 'length')
set offsets 0, 0, graph 0.04, 0
set title 'environment steps a second, since the start'
set yrange [0:*]
plot $(series steps_per_second 1 'by wall time')
set offsets 0, 0, 0, 0
set autoscale y

set logscale y
set format y '10^{%T}'
set title 'critic: gradient norm before and after its steps'
plot $(series critic_gradient_norm_before 1 'before' critic_gradient_norm 2 'after')
set title 'critic: loss before and after, best-response gap'
plot $(series critic_loss_before 1 'g before' critic_loss 3 'g after' best_response_gap 2 'gap after')
set title 'actor: norms of direct, implicit, and hypergradient'
plot $(series direct_norm 1 'direct' implicit_norm 2 'implicit' hypergradient_norm 3 'hyper')
unset logscale y
set format y '%g'

set title 'cosine of direct and implicit term'
set yrange [-1.05:1.05]
plot $(series cosine 1 'cosine')
set title 'shares: bound, indefinite, fell back; clipped'
set yrange [-0.02:1.05]
set key width -3
plot $(series kappa_bound_share 1 'kappa' indefinite_share 2 'indefinite' fallback_share 3 'fallback' clip_fraction 4 'clipped')
set key width -1
set title 'inverse: relative residual'
set yrange [0:*]
plot $(series relative_residual 1 '|(H + rho I) x - v| / |v|')
set autoscale y

set xlabel 'environment steps (thousands)'
set logscale y
set format y '10^{%T}'
set title 'inverse: conditions, largest eigenvalue; rank of features'
set key width -2
plot $(series condition_estimate 1 'core' condition_number 2 'H + rho I' largest_eigenvalue 3 'largest' best_response_rank 4 'rank')
unset logscale y
set format y '%g'
set offsets 0, 0, graph 0.04, graph 0.04
set key width -1
set title 'policy entropy; variance that the critic explains'
plot $(series entropy 1 'entropy' explained_variance 2 'explained')
set title 'policy: KL divergence from the one that acted'
set offsets 0, 0, graph 0.04, 0
set yrange [0:*]
set label 1 'dots: single updates; lines: means over $bin steps' at screen 0.985, screen 0.012 right textcolor '#303030'
plot $(series approx_kl 1 'KL')
unset multiplot
EOF
