#!/bin/sh
# self_test.sh CC: a check that cannot fail proves nothing. Builds small libraries, one sound and others each with one fault, and
# sees that check.sh accepts the first and refuses every other for the right reason.
set -eu
cc=$1
here=$(cd "${0%/*}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
bad=0

mkdir -p include/blpo
cat > include/blpo/good.h <<'END'
#define BLPO_API __attribute__((visibility("default")))
BLPO_API int blpo_random(int n);
BLPO_API const char *
blpo_printf_like(char *out,
                 int n);
END
printf 'blpo_printf_like\nblpo_random\n' > exported.txt
cat > good.c <<'END'
#include <blpo/good.h>
#include <stdio.h>
#include <stdlib.h>
struct verb { const char *name; int (*call)(int); };
int blpo__internal(int n);
int blpo__internal(int n) { void *m = malloc((size_t)n); free(m); return n; }
static const struct verb verbs[] = { { "random", blpo__internal }, { "exit", blpo__internal } };
int blpo_random(int n) { return verbs[n & 1].call(n); }
const char *blpo_printf_like(char *out, int n) { snprintf(out, 8, "%d", n); return verbs[n & 1].name; }
END
printf 'BLPO_0 { global: blpo_*; local: *; };\n' > good.map

# build SONAME FLAG...: libcase.so and libcase.a of good.c and case.c
build()
{
    name=$1
    shift
    rm -f ./*.o libcase.*
    "$cc" -std=c11 -O1 -fPIC -fvisibility=hidden -I include -c good.c case.c
    "$cc" -shared -o libcase.so good.o case.o "-Wl,-soname,$name" "$@"
    ar rc libcase.a good.o case.o
}

check() { sh "$here/check.sh" ./libcase.so ./libcase.a exported.txt libblpo.so.0 include > log 2>&1; }

# refuses CLAIM PATTERN: check.sh fails and its words match
refuses()
{
    if check; then
        echo "FAIL: accepted $1"
        bad=1
    elif ! grep -q -- "$2" log; then
        echo "FAIL: refused $1, but does not say $2:"
        cat log
        bad=1
    else
        echo "ok: refuses $1"
    fi
}

# with CODE: a library that has this besides the good part
with()
{
    printf '#include <assert.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <locale.h>\n#include <signal.h>\n%s\n' "$1" > case.c
    build libblpo.so.0 -Wl,--version-script=good.map
}

with 'extern int blpo__other; '
if check; then
    echo "ok: accepts a sound library"
else
    echo "FAIL: refused a sound library:"
    cat log
    bad=1
fi

with '__attribute__((visibility("default"))) int blpo__leak(void) { return 1; }'
refuses "an internal name that leaks" "blpo__leak"
with '__attribute__((visibility("default"))) int blpo_undeclared(void) { return 1; }'
refuses "an export that no header declares" "blpo_undeclared"
with '__attribute__((visibility("default"))) const int blpo_data = 1;'
refuses "exported data" "blpo_data"
with 'int helper(void); int helper(void) { return 1; }'
refuses "a global name outside blpo_" "outside blpo_: helper"
if [ "$(uname -m)" = x86_64 ] && ! "$cc" --version | grep -q -i clang; then
    # gcc does not hide the versions of a function, which is why libblpo.map leaves out blpo__ by name.
    with '__attribute__((target_clones("avx2", "default"))) int blpo__f(int n); int blpo__f(int n) { return n + n; }'
    refuses "a multiversioned internal function" "blpo__f"
fi

with 'int blpo__f(int n); int blpo__f(int n) { printf("%d\n", n); return n; }'
refuses "printf" "refers to printf"
with 'int blpo__f(int n); int blpo__f(int n) { return fprintf(stderr, "%d\n", n); }'
refuses "stderr" "refers to fprintf stderr"
with 'void blpo__f(void); void blpo__f(void) { puts("x"); }'
refuses "puts" "refers to puts"
with 'void blpo__f(int n); void blpo__f(int n) { if (n) exit(n); }'
refuses "exit" "refers to exit"
with 'void blpo__f(int n); void blpo__f(int n) { if (n) abort(); }'
refuses "abort" "refers to abort"
with 'void blpo__f(int n); void blpo__f(int n) { assert(n > 0); }'
refuses "assert" "refers to __assert_fail"
with 'int blpo__f(void); int blpo__f(void) { return rand(); }'
refuses "rand" "refers to rand"
with 'void blpo__f(void); void blpo__f(void) { srand(1); }'
refuses "srand" "refers to srand"
with 'char *blpo__f(void); char *blpo__f(void) { return setlocale(LC_ALL, ""); }'
refuses "setlocale" "refers to setlocale"
with 'char *blpo__f(void); char *blpo__f(void) { return getenv("HOME"); }'
refuses "getenv" "refers to getenv"
with 'void blpo__f(void); void blpo__f(void) { signal(SIGINT, SIG_IGN); }'
refuses "signal" "refers to .*signal"

with 'int blpo__f(void); int blpo__f(void) { static int calls; return ++calls; }'
refuses "a static counter" "writable data: .*calls"
with 'int blpo__f(void); int blpo__f(void) { static _Thread_local int calls = 3; return ++calls; }'
refuses "a thread-local counter" "writable data: .*calls"

printf '\n' > case.c
build libblpo.so.1 -Wl,--version-script=good.map
refuses "another SONAME" "the SONAME of"
build libblpo.so.0
refuses "exports without a version" "the exports of"
build libblpo.so.0 -Wl,--version-script=good.map
printf 'blpo_printf_like\nblpo_random\nblpo_zero\n' > exported.txt
refuses "a listed function that does not exist" "blpo_zero"
printf 'blpo_printf_like\n' > exported.txt
refuses "a function that is not listed" "blpo_random"

exit "$bad"
