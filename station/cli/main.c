/* SPDX-License-Identifier: Apache-2.0
 * The table of verbs; nothing else. A verb of two words is matched before one of one word. */
#include "cli/cli.h"

#include "base/version.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct cli_verb *const verbs[] = {
    &cmd_flash,
    &cmd_run,
    &cmd_profile_check,
    &cmd_profile_import,
    &cmd_plan,
    &cmd_image,
    &cmd_line_ack,
    &cmd_scan,
    &cmd_label_reprint,
    &cmd_ports,
    &cmd_slots_learn,
    &cmd_doctor,
    &cmd_sim,
    &cmd_init,
    &cmd_lot_open,
    &cmd_lot_close,
    &cmd_lot_show,
    &cmd_note,
    &cmd_dispose,
    &cmd_operator,
    &cmd_trace,
    &cmd_report,
    &cmd_status,
    &cmd_web,
    &cmd_web_user,
    &cmd_certificate,
    &cmd_verify,
    &cmd_export,
    &cmd_anchor,
    &cmd_witness_offer,
    &cmd_witness_accept,
    &cmd_witness_push,
    &cmd_witness,
    &cmd_witness_init,
    &cmd_witness_trust,
    &cmd_witness_sign,
    &cmd_audit,
    &cmd_key_show,
    &cmd_key_create,
    &cmd_key_rotate,
    &cmd_key_retire,
    &cmd_key_adopt,
    &cmd_db_check,
    &cmd_db_backup,
    &cmd_db_rebuild,
    &cmd_db_export,
    &cmd_signer,
    NULL,
};

static void usage(FILE *out)
{
    fputs("flashline " FL_VERSION ": flash many ESP32-family boards in parallel, verify, record and sign.\n\n"
          "usage: flashline VERB [options]        flashline VERB --help tells more\n\n",
          out);
    for (size_t i = 0; verbs[i]; i++)
        fprintf(out, "  %-16s %s\n", verbs[i]->name, verbs[i]->line);
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

int main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, ""); /* is the terminal UTF-8? Nothing else of the locale is used. */
    (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe or socket is an error of the write, not a death */
    argc--;
    argv++;
    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "help") == 0) {
        usage(argc ? stdout : stderr);
        return argc ? CLI_OK : CLI_USAGE;
    }
    if (strcmp(argv[0], "--version") == 0) {
        puts("flashline " FL_VERSION);
        return CLI_OK;
    }
    const struct cli_verb *best = NULL;
    int words = 0;
    for (size_t i = 0; verbs[i]; i++) {
        int n = words_matched(verbs[i]->name, argc, argv);
        if (n > words) {
            words = n;
            best = verbs[i];
        }
    }
    if (!best) {
        fprintf(stderr, "flashline: '%s%s%s' is not a verb; these are:\n\n", argv[0], argc > 1 ? " " : "",
                argc > 1 ? argv[1] : "");
        usage(stderr);
        return CLI_USAGE;
    }
    return best->run(argc - (words - 1), argv + (words - 1));
}
