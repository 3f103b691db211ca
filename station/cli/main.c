/* SPDX-License-Identifier: Apache-2.0
 * The table of verbs; nothing else. A verb of two words is matched before one of one word. */
#include "cli/cli.h"

#include "base/version.h"
#include "store/db.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* In the order of `flashline --help`; a row without a verb is a heading. */
static const struct {
    const char *heading;
    const struct cli_verb *verb;
} verbs[] = {
    {"the line", NULL},
    {NULL, &cmd_flash},
    {NULL, &cmd_run},
    {NULL, &cmd_status},
    {NULL, &cmd_scan},
    {NULL, &cmd_line_ack},
    {NULL, &cmd_label_reprint},
    {NULL, &cmd_operator},
    {"lots and units", NULL},
    {NULL, &cmd_lot_open},
    {NULL, &cmd_lot_close},
    {NULL, &cmd_lot_show},
    {NULL, &cmd_note},
    {NULL, &cmd_dispose},
    {"profiles and images", NULL},
    {NULL, &cmd_profile_check},
    {NULL, &cmd_profile_import},
    {NULL, &cmd_plan},
    {NULL, &cmd_image},
    {"ports and boards", NULL},
    {NULL, &cmd_ports},
    {NULL, &cmd_slots_learn},
    {NULL, &cmd_doctor},
    {NULL, &cmd_sim},
    {"what the records say", NULL},
    {NULL, &cmd_trace},
    {NULL, &cmd_report},
    {NULL, &cmd_web},
    {NULL, &cmd_web_user},
    {"proofs", NULL},
    {NULL, &cmd_audit},
    {NULL, &cmd_certificate},
    {NULL, &cmd_verify},
    {NULL, &cmd_export},
    {NULL, &cmd_anchor},
    {"witnesses", NULL},
    {NULL, &cmd_witness},
    {NULL, &cmd_witness_init},
    {NULL, &cmd_witness_trust},
    {NULL, &cmd_witness_offer},
    {NULL, &cmd_witness_sign},
    {NULL, &cmd_witness_accept},
    {NULL, &cmd_witness_push},
    {"the station", NULL},
    {NULL, &cmd_init},
    {NULL, &cmd_key_show},
    {NULL, &cmd_key_create},
    {NULL, &cmd_key_rotate},
    {NULL, &cmd_key_retire},
    {NULL, &cmd_key_adopt},
    {NULL, &cmd_key_clock},
    {NULL, &cmd_signer},
    {NULL, &cmd_db_check},
    {NULL, &cmd_db_backup},
    {NULL, &cmd_db_rebuild},
    {NULL, &cmd_db_export},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static bool of_family(const struct cli_verb *v, const char *word)
{
    size_t n = strlen(word);
    return n > 0 && strncmp(v->name, word, n) == 0 && v->name[n] == ' ';
}

/* `family`: only verbs that begin with this word; NULL: all, with their headings. */
static void list_verbs(FILE *out, const char *family)
{
    for (size_t i = 0; i < VERBS; i++) {
        const struct cli_verb *v = verbs[i].verb;
        if (!v && !family)
            fprintf(out, "%s%s\n", i ? "\n" : "", verbs[i].heading);
        if (!v || (family && !of_family(v, family)))
            continue;
        fprintf(out, "  %-16s %s\n", v->name, v->line);
    }
}

static void usage(FILE *out)
{
    fputs("flashline " FL_VERSION ": flash many ESP32-family boards in parallel, verify, record and sign.\n\n"
          "usage: flashline VERB [options]        flashline VERB --help tells more\n\n",
          out);
    list_verbs(out, NULL);
}

/* `lot`, `lot --help`, `lot opne`: the verbs of that word. Anything else is no verb at all. */
static int no_verb(int argc, char **argv)
{
    const char *family = argv[0], *second = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    bool known = false, asks = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    for (size_t i = 0; i < VERBS && !known; i++)
        known = verbs[i].verb && of_family(verbs[i].verb, family);
    if (!known) {
        cli_say("flashline: '%s' is not a verb; flashline --help lists them\n", family);
        return CLI_USAGE;
    }
    if (!asks)
        cli_say("flashline: '%s%s%s' is not a verb; these are:\n\n", family, second ? " " : "", second ? second : "");
    list_verbs(asks ? stdout : stderr, family);
    return asks ? CLI_OK : CLI_USAGE;
}

/* How many words of argv the verb's name takes, 0 when it is another verb. */
static int words_matched(const char *name, int argc, char **argv)
{
    int n = 0;
    while (*name) {
        size_t len = strcspn(name, " ");
        if (n >= argc || strlen(argv[n]) != len || strncmp(argv[n], name, len) != 0)
            return 0;
        n++;
        name += len + (name[len] == ' ');
    }
    return n;
}

/* A standard stream that is closed would give its number to the next file that is opened, and what is meant for people
 * would be written into the lock or the database. Held by what can be neither read nor written: using it is an error still. */
static bool streams_held(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

/* What was printed is out, or the exit code says that it is not; what the verb found wrong itself counts more. */
static int written(int code)
{
    bool bad = fflush(stdout) != 0;
    bad = ferror(stdout) || bad;
    return bad && (code == CLI_OK || code == CLI_NOT_PASS) ? cli_fail(CLI_STATION, "standard output could not be written") : code;
}

int main(int argc, char **argv)
{
    static char help[] = "--help";
    if (!streams_held())
        return CLI_STATION;
    (void)setlocale(LC_CTYPE, ""); /* is the terminal UTF-8? Nothing else of the locale is used. */
    (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe or socket is an error of the write, not a death */
    db_count_no_memory();
    argc--;
    argv++;
    bool asks = argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "help") == 0);
    if (asks && argc > 1) { /* `help key rotate`: as `key rotate --help` */
        memmove(argv, argv + 1, (size_t)(argc - 1) * sizeof *argv);
        argv[argc - 1] = help;
    } else if (asks || argc == 0) {
        usage(argc ? stdout : stderr);
        return written(argc ? CLI_OK : CLI_USAGE);
    }
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0) {
        puts("flashline " FL_VERSION);
        return written(CLI_OK);
    }
    const struct cli_verb *best = NULL;
    int words = 0;
    for (size_t i = 0; i < VERBS; i++) {
        int n = verbs[i].verb ? words_matched(verbs[i].verb->name, argc, argv) : 0;
        if (n > words) {
            words = n;
            best = verbs[i].verb;
        }
    }
    if (!best)
        return no_verb(argc, argv);
    return written(best->run(argc - (words - 1), argv + (words - 1)));
}
