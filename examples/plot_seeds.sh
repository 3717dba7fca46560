#!/bin/sh
# Draws the learning curves of all seeds from what seeds writes with --csv. Needs gnuplot (Debian: gnuplot-nox).
#
#     ./plot_seeds.sh CSV PNG
#
# Thin: each seed. Thick: their mean, as far as every seed has run.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 CSV PNG" >&2
    exit 2
fi
csv=$1
png=$2
command -v gnuplot >/dev/null || { echo "$0: gnuplot not found (Debian: apt-get install gnuplot-nox)" >&2; exit 1; }
true < "$csv" || exit 1
head -n 1 "$csv" | grep -q '^method,seed,solved,steps,' || { echo "$0: $csv: not a CSV of the training examples" >&2; exit 1; }
[ "$(wc -l < "$csv")" -ge 3 ] || { echo "$0: $csv: fewer than two updates in it" >&2; exit 1; }
curves=$(mktemp)
trap 'rm -f "$curves"' EXIT

# "steps return" of each seed, two empty lines between seeds, then the mean at the steps where all of them have one.
awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "return_mean") at = i; next }
    $at == "" { next }
    $2 != seed || !n_seeds { if (n_seeds++) print "\n"; seed = $2 }
    { print $4, $at; n[$4]++; sum[$4] += $at; if (!($4 in place)) { place[$4] = ++last; steps[last] = $4 } }
    END { print "\n"
          for (i = 1; i <= last; i++) if (n[steps[i]] == n_seeds) print steps[i], sum[steps[i]] / n_seeds }' "$csv" > "$curves"
n_seeds=$(awk -F, 'NR > 1 { print $2 }' "$csv" | sort -u | wc -l)
method=$(awk -F, 'NR == 2 { print $1; exit }' "$csv")
solved=$(awk -F, 'NR == 2 { print $3; exit }' "$csv")
out=$(printf '%s' "$png" | sed "s/'/''/g")

# gnuplot draws to stdout when it cannot open its file.
true >> "$png" || exit 1
gnuplot >/dev/null <<EOF
set terminal pngcairo size 1200,640 font 'sans,14' background '#ffffff'
set output '$out'
set border 3 linecolor '#606060'
set tics nomirror textcolor '#303030'
set grid linecolor '#e4e4e4' linetype 1 linewidth 1
set xrange [0:*]
set autoscale noextend
set offsets 0, 0, graph 0.04, graph 0.03
set key reverse Left right bottom samplen 2 spacing 1.15
set xlabel 'environment steps (thousands)'
set ylabel 'return'
set arrow 1 from graph 0, first $solved to graph 1, first $solved nohead dashtype 2 linewidth 1.5 linecolor '#707070' back
set label 1 'solved' at graph 0.005, first $solved offset 0, character -0.7 textcolor '#707070'
plot for [i=0:$n_seeds - 1] '$curves' index i using (column(1)/1000):2 with lines linewidth 1.2 linecolor '#8fbfe0' \
        title (i == 0 ? '$method, $n_seeds seeds' : ''), \
    '' index $n_seeds using (column(1)/1000):2 with lines linewidth 3 linecolor '#0072b2' title 'mean'
EOF
