# shellcheck shell=bash
# To be sourced. quantiles N: from lines of N words and a number, sorted or not, for each group of equal words the words and the
# median, least and largest number.
quantiles() {
    LC_ALL=C sort -s -k"$(($1 + 1)),$(($1 + 1))g" | LC_ALL=C sort -s -k1,"$1" | awk -v words="$1" '
        function flush() {
            if (n) printf "%s %.6g %.6g %.6g\n", group, (value[int((n + 1) / 2)] + value[int(n / 2) + 1]) / 2, value[1], value[n]
            n = 0
        }
        {
            key = $1
            for (i = 2; i <= words; i++) key = key " " $i
            if (key != group) flush()
            group = key
            value[++n] = $(words + 1)
        }
        END { flush() }'
}
