# Error of x against what was spent. data: a directory of files "K median least largest"; out: a PNG
set terminal pngcairo size 1350,1100 font "sans,11"
set output out
set logscale xy
set format y "10^{%T}"
set grid lc rgb "#dddddd"
set xrange [1:1000]; set yrange [1e-8:1e3]
set xlabel "rows or steps"
set key bottom left samplen 2
set multiplot layout 3,3
array problems[3] = ["neural.hessian", "neural.gauss-newton", "linear.gauss-newton"]
array titles[3] = ["neural critic, full Hessian", "neural critic, Gauss-Newton", "linear critic"]
do for [i=1:3] { do for [rho in "0.01 1 50"] {
    set title sprintf("%s, rho %s", titles[i], rho)
    if (rho eq "0.01") { set ylabel "|x - exact| / |exact|" } else { unset ylabel }
    f(method) = sprintf("%s/%s.%s.%s", data, problems[i], rho, method)
    plot f("none") u (1):2 w p pt 2 ps 1.5 lc rgb "#404040" t "v / rho", for [j=1:words(methods)] \
        f(word(methods, j)) u 1:2:3:4 w yerrorlines lw 1.5 pt 7 ps 0.5 t word(methods, j)
} }
unset multiplot
