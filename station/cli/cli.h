/* SPDX-License-Identifier: Apache-2.0
 *
 * cli.h: what the verbs share. One verb a file (cmd_*.c), one row in main.c's table; this is the only
 * room that prints and exits.
 *
 * Results go to standard output, logs and progress to standard error.
 */
#ifndef FL_CLI_CLI_H
#define FL_CLI_CLI_H

#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit codes of every verb. */
enum cli_exit {
    CLI_OK = 0,       /* every unit PASS; the verb did its work */
    CLI_NOT_PASS = 1, /* some unit is not PASS; a check found something */
    CLI_USAGE = 2,    /* wrong words on the command line, or in a file that people write */
    CLI_STATION = 3,  /* the station itself failed: database, key, disk */
    CLI_NO_BOARD = 4, /* no board answered */
    /* 10 and up: what `audit` and `verify` found, by class (audit/verify.h) */
};

struct cli_verb {
    const char *name; /* "flash", "profile check" */
    const char *line; /* one line of what it is for */
    const char *help; /* usage, options and an example; printed by --help */
    int (*run)(int argc, char **argv); /* argv[0] is the verb's last word */
};

extern const struct cli_verb cmd_key_adopt, cmd_key_clock, cmd_key_create, cmd_key_retire, cmd_key_rotate;
extern const struct cli_verb cmd_anchor, cmd_export, cmd_witness, cmd_witness_accept, cmd_witness_init, cmd_witness_offer,
    cmd_witness_push, cmd_witness_sign, cmd_witness_trust;
extern const struct cli_verb cmd_audit, cmd_certificate, cmd_db_backup, cmd_db_check, cmd_db_export, cmd_db_rebuild,
    cmd_dispose, cmd_doctor, cmd_flash, cmd_image, cmd_init, cmd_key_show, cmd_label_reprint, cmd_line_ack, cmd_lot_close, cmd_lot_open,
    cmd_lot_show, cmd_note, cmd_operator, cmd_plan, cmd_ports, cmd_profile_check, cmd_profile_import,
    cmd_report, cmd_run, cmd_scan, cmd_signer, cmd_sim, cmd_slots_learn, cmd_status, cmd_trace, cmd_verify, cmd_web,
    cmd_web_user;

/* ---- options: one parser for all verbs ---------------------------------------------------------- */

enum cli_opt_kind { CLI_FLAG, CLI_TEXT, CLI_WORDS, CLI_UINT, CLI_LIST };

/* A table of these ends with a row whose name is NULL. `--name value` and `--name=value`; `--` ends
 * options. A row whose name is one letter is also known as `-n value`. Rows with one storage are one option. What holds one
 * value is refused when it is given twice: of two lots, which? CLI_WORDS is text that goes into records, which is UTF-8;
 * CLI_TEXT may be a path, which is any bytes; CLI_UINT ends at INT_MAX. Storage by kind: bool *, const char **, const char **,
 * unsigned *, struct cli_list *. */
struct cli_opt {
    const char *name; /* without the dashes */
    enum cli_opt_kind kind;
    void *to;
};
struct cli_list {
    const char **items;
    size_t n, cap;
};

/* Reads options, gives what is left in *argc and *argv (without argv[0]). Prints help and returns
 * CLI_OK with *done for --help; prints what is wrong and returns CLI_USAGE with *done for an error.
 * --help is known to all. */
int cli_options(const struct cli_verb *verb, const struct cli_opt *table, int *argc, char ***argv,
                bool *done);

/* Can a record hold it: is it UTF-8? For words of the command line that are no option. */
bool cli_is_words(const char *word);

/* "flashline flash: sentence" on standard error, and what --help to ask. Returns CLI_USAGE. */
int cli_usage(const struct cli_verb *verb, const char *fmt, ...) FL_PRINTF(2, 3);
/* "flashline: sentence" on standard error. Returns `code`. */
int cli_fail(int code, const char *fmt, ...) FL_PRINTF(2, 3);
/* To standard output, likewise: every result that people read goes this way, whatever is quoted in it; what programs read
 * (JSON, files) does not. */
void cli_print(const char *fmt, ...) FL_PRINTF(1, 2);
void cli_fprint(FILE *to, const char *fmt, ...) FL_PRINTF(2, 3);
void cli_vfprint(FILE *to, const char *fmt, va_list ap) FL_PRINTF(2, 0);
/* Who read standard output has gone, as `| head` does: it had enough, and long answers end without a word about it. */
bool cli_reader_gone(void);
/* To standard error, words and names made fit for a terminal; as they are written, with their line ends. Where standard error takes
 * nothing for a second (a pipe that nobody reads) they are not said. */
void cli_say(const char *fmt, ...) FL_PRINTF(1, 2);

/* --data, or $XDG_DATA_HOME/flashline, or ~/.local/share/flashline: of $HOME, else as the system knows this user; who has no home
 * has /var/lib/flashline. New string; NULL: no memory. */
char *cli_data_dir(const char *given);
/* For verbs that work without a station too: says so where there is none, for the folder's name may be a slip. */
void cli_no_station_yet(const char *dir);
/* --format: "text" (also NULL) or "json"; -1 for anything else. */
enum cli_format { CLI_TEXT_OUT, CLI_JSON_OUT };
int cli_format(const char *given);

#endif
