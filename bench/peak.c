/* Runs a program and prints what the system says of it when it has ended: seconds, and the most memory that was resident.
 *
 *     peak PROGRAM [ARGUMENT ...]
 *
 * A small program of its own, since the figure of a child begins with the size of the process it was forked from. The output
 * of the program goes to stderr, so that stdout is one line of JSON. */
#include "harness.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds_of(struct timeval t) { return (double)t.tv_sec + 1e-6 * (double)t.tv_usec; }

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    const double start = bench_wall();
    const pid_t child = fork();
    if (child == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    int status = -1;
    struct rusage used;
    if (child < 0 || wait4(child, &status, 0, &used) != child)
        return 1;
    bench_line("{\"what\":\"process\",\"exit\":%d,\"wall\":%.4f,\"cpu\":%.4f,\"resident_kib\":%ld}",
               WIFEXITED(status) ? WEXITSTATUS(status) : -1, bench_wall() - start,
               seconds_of(used.ru_utime) + seconds_of(used.ru_stime), used.ru_maxrss);
    return 0;
}
