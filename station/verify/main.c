/* SPDX-License-Identifier: Apache-2.0
 *
 * flashline-verify: the auditor's program. Built from base/ and audit/ and nothing else of the station: no database, no
 * thread, no network, no device. What it does is audit/inspect.h's; this file reads the words on the command line.
 */
#include "audit/inspect.h"
#include "base/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE = 2, UNREADABLE = 3 };

struct words {
    struct inspect in;
    const char **keys, **paths, **heads;
};

static int usage(const char *what, const char *about)
{
    fprintf(stderr, "flashline-verify: %s%s\n  flashline-verify --help tells how it is used\n", what, about);
    return USAGE;
}

static void help(void)
{
    printf("flashline-verify %s: checks birth certificates and signed heads of a flashline station without the station.\n\n"
           "usage: flashline-verify FILE... --key VKEY [options]\n       flashline-verify BUNDLE --key VKEY [options]\n\n" INSPECT_HELP
           "\nexample:\n  flashline-verify *.tlog-proof --key line-3-a.example+991df877+AQOh...\n",
           FL_VERSION);
}

/* The value of option `name` when argv[*i] is it: "--name value" or "--name=value". */
static const char *value_of(const char *name, int argc, char **argv, int *i)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    return argv[*i][n] == 0 && *i + 1 < argc ? argv[++*i] : NULL;
}

static bool take_number(const char *text, unsigned *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    *out = (unsigned)v;
    return *text >= '0' && *text <= '9' && !*end && v <= 64;
}

static int read_words(struct words *w, int argc, char **argv)
{
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        const char *v;
        if (only_files || strncmp(argv[i], "--", 2) != 0)
            w->paths[w->in.n_paths++] = argv[i];
        else if (!argv[i][2])
            only_files = true;
        else if ((v = value_of("--key", argc, argv, &i)))
            w->keys[w->in.trust.n_keys++] = v;
        else if ((v = value_of("--head", argc, argv, &i)))
            w->heads[w->in.n_heads++] = v;
        else if ((v = value_of("--ca", argc, argv, &i)))
            w->in.trust.ca = v;
        else if ((v = value_of("--policy", argc, argv, &i)))
            w->in.trust.policy = v;
        else if ((v = value_of("--quorum", argc, argv, &i))) {
            if (!take_number(v, &w->in.trust.quorum))
                return usage("--quorum needs a number up to 64, not ", v);
        } else if ((v = value_of("--format", argc, argv, &i))) {
            if (strcmp(v, "json") != 0 && strcmp(v, "text") != 0)
                return usage("--format is text or json, not ", v);
            w->in.json = *v == 'j';
        } else if (strcmp(argv[i], "--quiet") == 0)
            w->in.quiet = true;
        else if (strcmp(argv[i], "--pass") == 0)
            w->in.pass = true;
        else
            return usage("not understood: ", argv[i]);
    }
    return w->in.n_paths ? 0 : usage("which files?", "");
}

static int verify(struct words *w, int argc, char **argv)
{
    struct fl_buf out = FL_BUF(INSPECT_OUT_MAX);
    struct fl_why why = {0, ""};
    int code = read_words(w, argc, argv);
    if (code)
        return code;
    w->in.trust.keys = w->keys;
    w->in.paths = w->paths;
    w->in.heads = w->heads;
    code = inspect_run(&w->in, &out, &why);
    if (fwrite(out.bytes ? (const void *)out.bytes : "", 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
        fputs("flashline-verify: the verdict could not be written out\n", stderr);
        code = UNREADABLE;
    } else if (why.text[0]) {
        fprintf(stderr, "flashline-verify: %s\n", why.text);
    }
    fl_buf_fini(&out);
    return code;
}

int main(int argc, char **argv)
{
    size_t n = (size_t)(argc > 0 ? argc : 1);
    struct words w = {.keys = calloc(n, sizeof *w.keys), .paths = calloc(n, sizeof *w.paths), .heads = calloc(n, sizeof *w.heads)};
    int code = UNREADABLE;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("flashline-verify " FL_VERSION);
        code = 0;
    } else if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        help();
        code = 0;
    } else if (w.keys && w.paths && w.heads) {
        code = verify(&w, argc, argv);
    } else {
        fputs("flashline-verify: out of memory\n", stderr);
    }
    free(w.keys);
    free(w.paths);
    free(w.heads);
    return code;
}
