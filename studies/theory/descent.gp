# |hypergradient| by its first value along descents. data: a directory; out: a PNG
set terminal pngcairo size 1350,820 font "sans,11"
set output out
set logscale xy
set format x "10^{%T}"; set format y "10^{%T}"
set grid lc rgb "#dddddd"
set xrange [1:40000]; set yrange [1e-6:10]
set key bottom left samplen 2
set multiplot layout 2,3
array names[6] = ["anywhere-20", "anywhere-5", "anywhere-20-little", "one-20", "one-5", "one-20-little"]
array titles[6] = ["starts anywhere, one-hot features", "starts anywhere, 5 features", \
                   "starts anywhere, one-hot, little entropy", "one start, one-hot features", "one start, 5 features", "one start, one-hot, little entropy"]
do for [i=1:6] {
    set title titles[i]
    if (i > 3) { set xlabel "steps" }
    if (i % 3 == 1) { set ylabel "|hypergradient| by its first" } else { unset ylabel }
    f(d) = sprintf("%s/%s.%s", data, names[i], d)
    plot f("direct") w l lw 1 lc rgb "#e8b8a0" notitle, f("published") w l lw 1 lc rgb "#b8d8b8" notitle, \
         f("hypergradient") w l lw 1 lc rgb "#a8c0e8" notitle, \
         f("direct.median") w l lw 3 lc rgb "#c04010" t "along direct", \
         f("published.median") w l lw 3 dt 2 lc rgb "#208030" t "along the published nystrom", \
         f("hypergradient.median") w l lw 3 lc rgb "#1850b0" t "along the hypergradient", \
         100 / x w l lw 1 dt 3 lc rgb "#404040" t "1 / steps"
}
unset multiplot
