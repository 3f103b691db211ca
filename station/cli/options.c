/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/utf8.h"
#include "store/folder.h"

#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool take_uint(const char *text, unsigned *out)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long v = strtoul(text, &end, 10);
    if (*end || v > INT_MAX)
        return false;
    *out = (unsigned)v;
    return true;
}

static bool list_add(struct cli_list *l, const char *item)
{
    const char **items = fl_grow(l->items, l->n, 1, &l->cap, sizeof *items);
    if (!items)
        return false;
    l->items = items;
    l->items[l->n++] = item;
    return true;
}

static const struct cli_opt *find(const struct cli_opt *table, const char *name, size_t len)
{
    for (; table->name; table++)
        if (strlen(table->name) == len && strncmp(table->name, name, len) == 0)
            return table;
    return NULL;
}

/* The first row of its storage stands for all of them. */
static bool given_before(const struct cli_opt *table, const struct cli_opt *o, uint64_t *given)
{
    size_t i = 0;
    while (table[i].to != o->to)
        i++;
    bool before = *given >> i & 1;
    *given |= UINT64_C(1) << i;
    return before;
}

bool cli_is_words(const char *word)
{
    return fl_utf8_ok((const uint8_t *)word, strlen(word));
}

int cli_options(const struct cli_verb *verb, const struct cli_opt *table, int *argc, char ***argv,
                bool *done)
{
    int n = *argc - 1, kept = 0;
    uint64_t given = 0;
    char **a = *argv + 1;
    *done = true;
    for (int i = 0; i < n; i++) {
        if (strcmp(a[i], "--") == 0) {
            while (++i < n)
                a[kept++] = a[i];
            break;
        }
        if (strcmp(a[i], "--help") == 0 || strcmp(a[i], "-h") == 0) {
            printf("flashline %s: %s\n\n%s", verb->name, verb->line, verb->help);
            return CLI_OK;
        }
        bool letter = a[i][0] == '-' && a[i][1] != '-' && a[i][1] && !a[i][2] && find(table, a[i] + 1, 1);
        if (strncmp(a[i], "--", 2) != 0 && !letter) {
            a[kept++] = a[i];
            continue;
        }
        const char *name = a[i] + (letter ? 1 : 2), *value = strchr(name, '=');
        size_t len = value ? (size_t)(value - name) : strlen(name);
        const struct cli_opt *o = find(table, name, len);
        if (!o)
            return cli_usage(verb, "there is no option --%.*s", (int)len, name);
        const char *dashes = o->name[1] ? "--" : "-";
        if (o->kind == CLI_FLAG) {
            if (value)
                return cli_usage(verb, "%s%s takes no value", dashes, o->name);
            *(bool *)o->to = true;
            continue;
        }
        if (value)
            value++;
        else if (i + 1 < n)
            value = a[++i];
        else
            return cli_usage(verb, "%s%s needs a value", dashes, o->name);
        if (!*value) /* of a shell variable that was never set, mostly */
            return cli_usage(verb, "%s%s needs a value, and this one is empty", dashes, o->name);
        if (o->kind != CLI_LIST && given_before(table, o, &given))
            return cli_usage(verb, "%s%s is given twice", dashes, o->name);
        if (o->kind == CLI_WORDS && !cli_is_words(value))
            return cli_usage(verb, "%s%s must be text in UTF-8", dashes, o->name);
        if (o->kind == CLI_TEXT || o->kind == CLI_WORDS) {
            *(const char **)o->to = value;
        } else if (o->kind == CLI_UINT) {
            if (!take_uint(value, o->to))
                return cli_usage(verb, "%s%s needs a whole number up to %d, not '%s'", dashes, o->name, INT_MAX, value);
        } else if (!list_add(o->to, value)) {
            return cli_fail(CLI_STATION, "out of memory");
        }
    }
    *done = false;
    *argc = kept;
    *argv = a;
    return CLI_OK;
}

/* A pipe that nobody empties, or a terminal that was stopped: what is only said holds no thread of a line up. */
static bool takes_words(FILE *to)
{
    enum { SLOW_MS = 1000 };
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    return to != stderr || poll(&p, 1, SLOW_MS) != 0;
}

/* What is said may come from a record, a file or a damaged database. */
void cli_vfprint(FILE *to, const char *fmt, va_list ap)
{
    char *text = NULL;
    if (!takes_words(to))
        return;
    if (vasprintf(&text, fmt, ap) < 0) {
        fputs("out of memory", stderr);
        return;
    }
    fl_utf8_clean(text, true);
    fputs(text, to);
    free(text);
}

void cli_print(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cli_vfprint(stdout, fmt, ap);
    va_end(ap);
}

void cli_fprint(FILE *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cli_vfprint(to, fmt, ap);
    va_end(ap);
}

void cli_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cli_vfprint(stderr, fmt, ap);
    va_end(ap);
}

int cli_usage(const struct cli_verb *verb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "flashline %s: ", verb->name);
    cli_vfprint(stderr, fmt, ap);
    fprintf(stderr, "\n  flashline %s --help tells how it is used\n", verb->name);
    va_end(ap);
    return CLI_USAGE;
}

int cli_fail(int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("flashline: ", stderr);
    cli_vfprint(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return code;
}

bool cli_reader_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* Never a folder that counts from the current one: a station begun here would not be found from there, and another one be begun. */
char *cli_data_dir(const char *given)
{
    const char *base = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (given)
        return strdup(given);
    if (base && *base == '/')
        return fl_path_join(base, "flashline");
    if (!home || *home != '/') {
        const struct passwd *who = getpwuid(geteuid()); /* no other thread asks for one */
        home = who ? who->pw_dir : NULL;
    }
    return home && *home == '/' ? fl_path_join(home, ".local/share/flashline") : strdup("/var/lib/flashline");
}

void cli_no_station_yet(const char *dir)
{
    struct folder f;
    if (folder_paths(dir, &f, NULL))
        return;
    if (!folder_there(&f))
        cli_say("flashline: note: there is no station in %s yet\n", dir);
    folder_fini(&f);
}

int cli_format(const char *given)
{
    if (!given || strcmp(given, "text") == 0)
        return CLI_TEXT_OUT;
    return strcmp(given, "json") == 0 ? CLI_JSON_OUT : -1;
}
