/* SPDX-License-Identifier: Apache-2.0
 *
 * telling.h: what verbs share that add an event to the records (record/tell.h).
 */
#ifndef FL_CLI_TELLING_H
#define FL_CLI_TELLING_H

#include "cli/cli.h"
#include "cli/passphrase.h"
#include "record/tell.h"

struct telling {
    const char *data, *format, *operator_id, *credential; /* options */
    unsigned passphrase_fd;
    char *dir, *passphrase;
    struct teller *teller;
};

#define TELLING_INIT {.passphrase_fd = CLI_NO_PASSPHRASE}
/* Rows for the verb's table of options. */
#define TELLING_OPTIONS(t)                                                                                             \
    {"data", CLI_TEXT, &(t).data}, {"format", CLI_TEXT, &(t).format}, {"operator", CLI_WORDS, &(t).operator_id},         \
    {"passphrase-fd", CLI_UINT, &(t).passphrase_fd}, {"credential", CLI_TEXT, &(t).credential}
/* The same for the help. */
#define TELLING_HELP                                                                                                   \
    "  --operator ID       who does it, for the record\n"                                                              \
    "  --data DIR          the station's folder; a flashline may be at work in it\n"                                   \
    "  --passphrase-fd N   read the key's passphrase from this descriptor (needed when none is at work)\n"             \
    "  --credential NAME   or from this systemd credential\n"                                                        \
    "  --format text|json\n"

/* Exit code; what is wrong was said. */
int telling_open(struct telling *t, const struct cli_verb *verb);
/* Takes body and adds the operator. A refusal is the user's (CLI_USAGE), anything else the station's. */
int telling_event(struct telling *t, enum event_kind kind, json_t *body, int64_t *leaf);
void telling_close(struct telling *t);

/* A result: one JSON object with the leaf and the members of `o` (taken; NULL: no memory), or the sentence. */
int telling_say(const struct telling *t, json_t *o, int64_t leaf, const char *fmt, ...) FL_PRINTF(4, 5);

#endif
