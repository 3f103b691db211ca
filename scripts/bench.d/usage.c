/* SPDX-License-Identifier: Apache-2.0
 *
 * usage FILE PROGRAM ARGS...: runs a program and writes what it cost into FILE, as one JSON object:
 *
 *   {"exit":0,"start_us":1234,"wall_us":1,"user_us":1,"system_us":1,"max_rss_kb":1,"waits":1,"switches":1}
 *
 *   start_us   monotonic clock just before the program begins     waits     times it slept of its own will
 *   wall_us    until it ended                                     switches  times the processor was taken from it
 *
 * The program's own exit code is returned; 127 when it cannot be started. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long mono_us(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t))
        return 0;
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static long long us(struct timeval t)
{
    return (long long)t.tv_sec * 1000000 + (long long)t.tv_usec;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: usage FILE PROGRAM ARGS...\n");
        return 2;
    }
    long long start = mono_us();
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        return 127;
    }
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    struct rusage r;
    if (wait4(pid, &status, 0, &r) < 0) {
        perror("wait4");
        return 127;
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    FILE *f = fopen(argv[1], "w");
    if (!f) {
        perror(argv[1]);
        return 127;
    }
    fprintf(f,
            "{\"exit\":%d,\"start_us\":%lld,\"wall_us\":%lld,\"user_us\":%lld,\"system_us\":%lld,"
            "\"max_rss_kb\":%ld,\"waits\":%ld,\"switches\":%ld}\n",
            code, start, mono_us() - start, us(r.ru_utime), us(r.ru_stime), r.ru_maxrss, r.ru_nvcsw, r.ru_nivcsw);
    return fclose(f) ? 127 : code;
}
