#!/bin/sh
# Draws learning curves from what the training examples write with --csv. Needs gnuplot (Debian: gnuplot-nox).
#
#     ./plot.sh CSV PNG [CSV ...]
#
# One CSV: its return against environment steps and, for blpo, below it what the hypergradient was made of.
# Several: their returns in one picture; runs of one method share a colour when there are several methods.
set -eu

if [ $# -lt 2 ]; then
    echo "usage: $0 CSV PNG [CSV ...]" >&2
    exit 2
fi
first=$1
png=$2
shift 2
command -v gnuplot >/dev/null || { echo "$0: gnuplot not found (Debian: apt-get install gnuplot-nox)" >&2; exit 1; }

# "method seed solved" of a CSV: the first three columns of its first row.
facts() {
    true < "$1" || exit 1
    head -n 1 "$1" | grep -q '^method,seed,solved,steps,' || { echo "$0: $1: not a CSV of the training examples" >&2; exit 1; }
    awk -F, 'NR == 2 { print $1, $2, $3; found = 1; exit } END { exit !found }' "$1" ||
        { echo "$0: $1: no update in it yet" >&2; exit 1; }
}

for csv in "$first" "$@"; do facts "$csv" >/dev/null; done
solved=$(facts "$first" | cut -d' ' -f3)
n_methods=$(for csv in "$first" "$@"; do facts "$csv"; done | cut -d' ' -f1 | sort -u | wc -l)

# One plot clause a run. Legend: "blpo, seed 0"; with several methods each method once, with all its seeds.
curves() {
    for csv in "$first" "$@"; do echo "$(facts "$csv") $csv"; done | awk -v by_method="$n_methods" '
        { method[NR] = $1; seed[NR] = $2; seeds[$1] = seeds[$1] " " $2; count[$1]++
          sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); file[NR] = $0; gsub(/\047/, "\047\047", file[NR]) }
        END {
            for (i = 1; i <= NR; i++) {
                m = method[i]
                if (!(m in color)) color[m] = ++colors
                title = sprintf("%s, seed%s%s", m, count[m] > 1 ? "s" : "", seeds[m])
                if (by_method < 2) title = m ", seed " seed[i]
                else if (shown[m]++) title = ""
                printf("%s\047%s\047 using (column(\"steps\")/1000):(column(\"return_mean\")) with lines linestyle %d %s",
                    (i > 1 ? ", " : ""), file[i], (by_method > 1 ? color[m] : (i - 1) % 8 + 1),
                    (title == "" ? "notitle" : "title \047" title "\047"))
            }
        }'
}

curves=$(curves "$@")
one=$([ $# -eq 0 ] && [ "$(facts "$first" | cut -d' ' -f1)" = blpo ] && echo 1 || echo 0)
# The norms jump from update to update: the lower panel shows means over a 120th of the run.
bin=$(awk -F, 'END { printf("%d", $4 / 120 + 1) }' "$first")
quoted=$(printf '%s' "$first" | sed "s/'/''/g")
out=$(printf '%s' "$png" | sed "s/'/''/g")
width=$([ $# -lt 4 ] && echo 2.4 || echo 1.6)

# gnuplot draws to stdout when it cannot open its file.
true >> "$png" || exit 1
gnuplot >/dev/null <<EOF
set terminal pngcairo size 1200,$([ "$one" = 1 ] && echo 900 || echo 640) font 'sans,14' background '#ffffff'
set output '$out'
set datafile separator ','
set datafile columnheaders
set border 3 linecolor '#606060'
set tics nomirror textcolor '#303030'
set grid linecolor '#e4e4e4' linetype 1 linewidth 1
# Colours of Okabe and Ito: told apart with any kind of colour vision.
set style line 1 linewidth $width linecolor '#0072b2'
set style line 2 linewidth $width linecolor '#d55e00'
set style line 3 linewidth $width linecolor '#009e73'
set style line 4 linewidth $width linecolor '#cc79a7'
set style line 5 linewidth $width linecolor '#e69f00'
set style line 6 linewidth $width linecolor '#56b4e9'
set style line 7 linewidth $width linecolor '#000000'
set style line 8 linewidth $width linecolor '#999999'
set xrange [0:*]
set autoscale noextend
set offsets 0, 0, graph 0.04, graph 0.03
set lmargin 11
set rmargin 11
set key tmargin right horizontal reverse Left samplen 2 spacing 1.15

if ($one) {
    set multiplot
    set size 1, 0.62
    set origin 0, 0.38
    set bmargin 2.5
} else {
    set xlabel 'environment steps (thousands)'
}
set ylabel 'return'
set arrow 1 from graph 0, first $solved to graph 1, first $solved nohead dashtype 2 linewidth 1.5 linecolor '#707070' back
set label 1 'solved' at graph 0.005, first $solved offset 0, character 0.6 textcolor '#707070'
plot $([ $# -eq 0 ] && echo "'$quoted' using (column('steps')/1000):(column('update_return_mean')) with points \
        pointtype 7 pointsize 0.4 linecolor '#8fbfe0' title 'episodes of one update',") \
    $curves

if ($one) {
    unset arrow 1
    unset label 1
    set size 1, 0.38
    set origin 0, 0
    set bmargin 3.5
    set xlabel 'environment steps (thousands)'
    set ylabel 'norm'
    set logscale y
    set format y '10^{%T}'
    set border 11
    set y2label 'share of minibatches'
    set y2range [0:1.02]
    set y2tics 0.25
    set offsets 0, 0, 0, 0
    set key at graph 1, graph 1.17 right top horizontal samplen 1.5 width -2
    set tmargin 2
    set xrange [0:GPVAL_X_MAX]
    x(steps) = ($bin * (floor((steps - 1) / $bin) + 0.5)) / 1000
    plot '$quoted' using (x(column('steps'))):(column('kappa_bound_share')) smooth unique axes x1y2 with lines \
            linewidth 1.8 linecolor '#b8b8b8' title 'bound by kappa (right)', \
        '' using (x(column('steps'))):(column('direct_norm')) smooth unique with lines linestyle 1 title '|direct|', \
        '' using (x(column('steps'))):(column('implicit_norm')) smooth unique with lines linestyle 2 title '|implicit|'
    unset multiplot
}
EOF
