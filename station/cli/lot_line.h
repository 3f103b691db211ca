/* SPDX-License-Identifier: Apache-2.0
 *
 * lot_line.h: what a lot brings to the line that makes it: its rules with what the records hold of them, and its serial
 * numbers. Put together here because the line knows no records and the records no rules.
 *
 * Thread rule: made and freed by one thread while no line works.
 */
#ifndef FL_CLI_LOT_LINE_H
#define FL_CLI_LOT_LINE_H

#include "cli/cli.h"
#include "line/guard.h"
#include "line/line.h"

struct lot_line; /* opaque */

struct lot_line_config {
    const char *data, *lot;
    const json_t *facts;    /* of the lot, as lots_read has it */
    struct fl_queue *queue; /* recorder_queue() */
    struct tally *tally;
};
/* Exit code; what is wrong was said. */
int lot_line_new(const struct lot_line_config *c, struct lot_line **out);
void lot_line_free(struct lot_line *l); /* NULL is fine */

struct guard *lot_line_guard(struct lot_line *l);
const struct line_serials *lot_line_serials(struct lot_line *l); /* NULL: the lot has none */
const struct rules_set *lot_line_rules(const struct lot_line *l);

#endif
