# Directions of sampled updates against T. data: a directory of files "T median least largest"; out: a PNG; on, cut: the
# predicted ratios
set terminal pngcairo size 1350,480 font "sans,11"
set output out
set logscale x 2
set grid lc rgb "#dddddd"
set xlabel "T, steps of the rollout"
set xrange [24:43000]
set key bottom right samplen 2
set multiplot layout 1,3
f(name) = sprintf("%s/%s", data, name)
set title "cosine with the policy gradient\n(goes on, one-hot features)"
set yrange [-0.2:1.05]
plot f("on.20.dense.direct") u 1:2:3:4 w yerrorlines lw 2 pt 7 ps 0.6 lc rgb "#c04010" t "direct, one rollout", \
     f("on.20.dense.hyper") u ($1*1.08):2:3:4 w yerrorlines lw 2 pt 7 ps 0.6 lc rgb "#1850b0" t "direct - implicit, one rollout", \
     f("on.20.averaged.direct") u 1:2 w lp lw 1 pt 4 lc rgb "#c04010" t "direct, averaged", \
     f("on.20.averaged.hyper") u 1:2 w lp lw 1 pt 4 lc rgb "#1850b0" t "direct - implicit, averaged"
set title "|implicit| by |direct|, averaged rollouts,\nand (1 - gamma) / (1 - kappa)"
set yrange [0:0.7]
plot f("on.20.averaged.ratio") u 1:2 w lp lw 2 pt 7 lc rgb "#1850b0" t "goes on: 20 features", \
     f("on.5.averaged.ratio") u 1:2 w lp lw 2 pt 5 lc rgb "#4080d0" t "5", \
     f("on.1.averaged.ratio") u 1:2 w lp lw 2 pt 9 lc rgb "#90b8f0" t "1", \
     on w l dt 2 lc rgb "#1850b0" notitle, \
     f("cut.20.averaged.ratio") u 1:2 w lp lw 2 pt 7 lc rgb "#c04010" t "cut: 20", \
     f("cut.5.averaged.ratio") u 1:2 w lp lw 2 pt 5 lc rgb "#d08050" t "5", \
     f("cut.1.averaged.ratio") u 1:2 w lp lw 2 pt 9 lc rgb "#f0b890" t "1", \
     cut w l dt 2 lc rgb "#c04010" notitle
set title "cosine with the same term of the exact game,\naveraged rollouts, one-hot features"
set yrange [-0.2:1.05]
plot f("on.20.averaged.exact-direct") u 1:2 w lp lw 2 pt 7 lc rgb "#c04010" t "direct, goes on", \
     f("on.20.averaged.exact-implicit") u 1:2 w lp lw 2 pt 7 lc rgb "#208030" t "implicit, goes on", \
     f("cut.20.averaged.exact-direct") u 1:2 w lp lw 2 dt 2 pt 6 lc rgb "#c04010" t "direct, cut", \
     f("cut.20.averaged.exact-implicit") u 1:2 w lp lw 2 dt 2 pt 6 lc rgb "#208030" t "implicit, cut"
unset multiplot
