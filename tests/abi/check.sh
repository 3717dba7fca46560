#!/bin/sh
# check.sh LIBRARY.so LIBRARY.a EXPORTED SONAME [INCLUDE_DIR]
#
# Fails, and says why, unless
#   1. EXPORTED, a sorted list of names, is what the headers declare (with INCLUDE_DIR);
#   2. the shared library exports exactly these names, each with the symbol version of its SONAME;
#   3. its SONAME is SONAME;
#   4. neither library calls anything that prints, ends the process, or touches its state;
#   5. the static library defines no global name outside blpo_ and holds no writable data.
# Every violation is reported before the script ends. self_test.sh shows that each is found.
set -eu
export LC_ALL=C
shared=$1 static=$2 exported=$3 soname=$4 include=${5:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

fail()
{
    bad=1
    echo "FAIL: $1"
}

# compare WHAT EXPECTED ACTUAL
compare()
{
    if ! diff "$2" "$3" > "$work/diff"; then
        fail "$1 (< expected, > found)"
        grep '^[<>]' "$work/diff"
    fi
}

if ! sort -c -u "$exported" 2> "$work/order"; then
    fail "$exported is not sorted, or names something twice: $(cat "$work/order")"
fi
if [ -n "$include" ]; then
    sh "${0%/*}/declared.sh" "$include" > "$work/declared"
    compare "the headers declare other functions than $exported lists" "$exported" "$work/declared"
fi

# The version node itself is an absolute symbol; all else must be a function.
version=BLPO_${soname##*.so.}
nm -D --defined-only "$shared" | awk -v v="$version" '!($2 == "A" && $3 == v) { print $3, $2 }' | sort > "$work/defined"
sed "s/\$/@@$version T/" "$exported" > "$work/expected"
compare "the exports of ${shared##*/} are not those of $exported" "$work/expected" "$work/defined"

readelf -d "$shared" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p' > "$work/soname"
echo "$soname" > "$work/expected"
compare "the SONAME of ${shared##*/}" "$work/expected" "$work/soname"

# Whole names, so that blpo_random or pthread_exit's neighbours are no false alarm; with the spellings that glibc's headers and
# _FORTIFY_SOURCE turn them into. snprintf and friends, which write to memory alone, are allowed.
forbidden='(__)?(printf|fprintf|vprintf|vfprintf|dprintf|vdprintf|wprintf|fwprintf|vwprintf|vfwprintf)(_chk)?'
forbidden="$forbidden|puts|fputs|putchar|putc|fputc|_IO_putc|fwrite|fputws|write|perror|psignal|syslog|err|errx|warn|warnx|error"
forbidden="$forbidden|stdin|stdout|stderr|fopen(64)?|freopen(64)?|open(64)?|popen|system|fork|execv[ep]*|execl[ep]*"
forbidden="$forbidden|abort|exit|_exit|_Exit|quick_exit|at_quick_exit|atexit|pthread_exit|pthread_cancel"
forbidden="$forbidden|assert|__assert|__assert_fail|__assert_perror_fail"
forbidden="$forbidden|rand|srand|rand_r|random|srandom|random_r|drand48|srand48|lrand48|mrand48|erand48"
forbidden="$forbidden|setlocale|uselocale|getenv|secure_getenv|setenv|putenv|unsetenv"
forbidden="$forbidden|(__sysv_|__bsd_)?signal|sigaction|raise|kill|pthread_kill|sigprocmask|pthread_sigmask|longjmp|_longjmp|siglongjmp"
forbidden="$forbidden|fesetround|fesetenv|feenableexcept|fedisableexcept|openblas_set_num_threads|bli_thread_set_num_threads"
for library in "$shared" "$static"; do
    case $library in
    *.a) nm -u "$library" ;;
    *) nm -D -u "$library" ;;
    esac | awk 'NF >= 2 && $(NF - 1) ~ /^[UwWvV]$/ { sub(/@.*/, "", $NF); print $NF }' | sort -u > "$work/undefined"
    if [ ! -s "$work/undefined" ]; then
        fail "${library##*/} refers to nothing outside: the check itself is broken"
    fi
    if grep -E -x "$forbidden" "$work/undefined" > "$work/found"; then
        fail "${library##*/} refers to $(tr '\n' ' ' < "$work/found")"
    fi
done

nm -g --defined-only "$static" | awk 'NF == 3 && $3 !~ /^blpo_/ { print $3 }' | sort -u > "$work/found"
if [ -s "$work/found" ]; then
    fail "${static##*/} defines global names outside blpo_: $(tr '\n' ' ' < "$work/found")"
fi
# .data.rel.ro is constant once relocated; every other .data, .bss, thread-local or common symbol of some size can change.
objdump -t "$static" > "$work/symbols"
awk '
    NF > 3 && $(NF - 2) ~ /^(\.t?bss|\.t?data|\*COM\*)/ && $(NF - 2) !~ /^\.data\.rel\.ro/ && $(NF - 1) !~ /^0+$/ { print $NF }
' "$work/symbols" > "$work/found"
if [ -s "$work/found" ]; then
    fail "${static##*/} holds writable data: $(tr '\n' ' ' < "$work/found")"
fi

[ "$bad" = 0 ] && echo "$(wc -l < "$exported") exports, SONAME $soname: as they should be"
exit "$bad"
