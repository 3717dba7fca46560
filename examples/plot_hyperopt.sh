#!/bin/sh
# Draws what hyperopt (--csv) or hyperopt_error, with --rows or without, writes. Needs gnuplot (Debian: gnuplot-nox).
#
#     ./plot_hyperopt.sh CSV PNG
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 CSV PNG" >&2
    exit 2
fi
csv=$1
png=$2
command -v gnuplot >/dev/null || { echo "$0: gnuplot not found (Debian: apt-get install gnuplot-nox)" >&2; exit 1; }
true < "$csv" || exit 1

refuse() {
    echo "$0: $csv: $1" >&2
    exit 1
}

# has COLUMN VALUE RHO: there is such a row
has() { awk -F, -v column="$1" -v value="$2" -v rho="$3" '$1 == rho && $column == value { found = 1; exit } END { exit !found }' "$csv"; }

# What is drawn, by the names in the first line. The last rows of each rho are there, or the program was stopped.
case $(head -n 1 "$csv") in
method,step,train,validation,test,hypergradient_norm,relative_residual,n_products,ridge_1,*)
    draw=draw_run
    [ "$(wc -l < "$csv")" -ge 3 ] || refuse "fewer than two steps in it"
    ;;
rho,method,size,products,error,quartile_low,quartile_high)
    draw=draw_error
    for rho in 0.0001 1e-08; do has 2 dense $rho || refuse "not whole: rho = $rho is missing or has no dense"; done
    ;;
rho,rows,error,quartile_low,quartile_high,to_damped,to_damped_low,to_damped_high)
    draw=draw_rows
    for rho in 0.01 0.001 0.0001; do has 2 31 $rho || refuse "not whole: rho = $rho is missing or has not all 31 rows"; done
    ;;
*) refuse "not a CSV of hyperopt or hyperopt_error" ;;
esac
# gnuplot draws to stdout when it cannot open its file.
true >> "$png" || exit 1
quoted=$(printf '%s' "$csv" | sed "s/'/''/g")
out=$(printf '%s' "$png" | sed "s/'/''/g")

style="
set terminal pngcairo noenhanced size 1200,800 font 'sans,14' background '#ffffff'
set output '$out'
set datafile separator ','
set border 3 linecolor '#606060'
set tics nomirror textcolor '#303030'
set grid linecolor '#e4e4e4' linetype 1 linewidth 1
set style line 1 linewidth 2.2 linecolor '#0072b2'
set style line 2 linewidth 2.2 linecolor '#d55e00'
set style line 3 linewidth 2.2 linecolor '#009e73'
set style line 4 linewidth 2.2 linecolor '#cc79a7'
set style line 5 linewidth 2.2 linecolor '#e69f00'
set style line 6 linewidth 2.2 linecolor '#56b4e9'
set style line 7 linewidth 2.2 linecolor '#000000'
set key samplen 2 spacing 1.15
"

# Losses by step; below, every ridge coefficient.
draw_run() {
    columns=$(head -n 1 "$csv" | awk -F, '{ print NF }')
    gnuplot <<EOF
$style
set multiplot layout 2,1
set ylabel 'mean log loss'
set key top right
set logscale y
plot '$quoted' skip 1 using 2:4 with lines linestyle 1 title 'validation: what is minimised', \
    '' skip 1 using 2:5 with lines linestyle 2 title 'test: seen by nobody', \
    '' skip 1 using 2:3 with lines linestyle 3 title 'training'
unset logscale y
set ylabel 'log10 of the 30 ridge coefficients'
set xlabel 'outer steps'
unset key
plot for [column=9:$columns] '$quoted' skip 1 using 2:column with lines linewidth 1.2 linecolor '#8fbfe0'
EOF
}

# Error by products: a panel for each rho, a curve for each method, with its quartiles; methods of one size as points.
draw_error() {
    gnuplot <<EOF
$style
set multiplot layout 1,2
set logscale xy
set format y '%.0e'
set xlabel 'products with the Hessian'
set ylabel '|h - h*| / |h*|'
names = "nystrom 'nystrom by diagonal' cg 'nystrom_pcg of 10 columns' neumann dense gauss_newton none"
is(name, rho) = sprintf("< awk -F, -v n='%s' -v r=%s '\$2 == n && \$1 == r' '$quoted'", name, rho)
do for [rho in "1e-4 1e-8"] {
    shown = rho eq '1e-4' ? '0.0001' : '1e-08'
    set title 'rho = '.rho
    set xrange [0.8:1200]
    set yrange [rho eq '1e-4' ? 0.1 : 1e-6:*]
    set key bottom left reverse Left
    if (rho eq '1e-8') { unset key }
    plot for [i=1:5] is(word(names, i), shown) using 4:5 with lines linestyle i title word(names, i), \
        for [i=1:2] is(word(names, i), shown) using 4:6:7 with filledcurves linestyle i fillstyle transparent solid 0.15 notitle, \
        is('dense', shown) using 4:5 with points pointtype 7 pointsize 1.6 linecolor '#000000' title 'dense', \
        is('gauss_newton', shown) using 4:5 with points pointtype 5 pointsize 1.6 linecolor '#56b4e9' title 'gauss_newton', \
        is('none', shown) using (0.9):5 with points pointtype 9 pointsize 1.6 linecolor '#999999' title 'none: v / rho'
}
EOF
}

# Nystrom's error by rows, a curve with its quartiles for each rho: against the derivative itself, dashed what damping alone costs;
# against the damped solution, where nothing is left but the rows that are missing.
draw_rows() {
    gnuplot <<EOF
$style
set multiplot layout 1,2
set logscale y
set format y '10^{%T}'
set termoption enhanced
set xrange [0:32]
set xtics 0,5,30
set xlabel 'k, rows of the Hessian of 31'
rhos = "0.01 0.001 0.0001"
rows(i) = sprintf("< awk -F, -v r=%s '\$1 == r' '$quoted'", word(rhos, i))
cost(i) = sprintf("< awk -F, -v r=%s '\$1 == r && \$2 == 31 { print 0 \",\" \$3; print 32 \",\" \$3 }' '$quoted'", word(rhos, i))
set title 'error of the hypergradient: |h - h*| / |h*|'
set yrange [5e-3:1e3]
set key top right Left reverse
plot for [i=1:3] rows(i) using 2:4:5 with filledcurves linestyle i fillstyle transparent solid 0.15 notitle, \
    for [i=1:3] cost(i) using 1:2 with lines linestyle i dashtype 2 linewidth 1.2 notitle, \
    for [i=1:3] rows(i) using 2:3 with linespoints linestyle i pointtype 7 pointsize 0.7 title 'rho = '.word(rhos, i), \
    NaN with lines linecolor '#606060' dashtype 2 title 'what rho alone costs'
set title 'the same, against the h* of that rho'
set yrange [5e-8:1e3]
set key bottom left Left reverse
plot for [i=1:3] rows(i) using 2:7:8 with filledcurves linestyle i fillstyle transparent solid 0.15 notitle, \
    for [i=1:3] rows(i) using 2:6 with linespoints linestyle i pointtype 7 pointsize 0.7 title 'rho = '.word(rhos, i)
EOF
}

$draw >/dev/null
