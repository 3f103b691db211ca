/* SPDX-License-Identifier: Apache-2.0
 *
 * check_outbox.h: what is to leave the station against the records. A label is what its record tells (store/outbox_told.h), and what
 * a record tells is there, waiting or gone: nothing is ever taken out of the outbox. A unit's label that is called printed is
 * so on record. A head for a witness or an authority is one of this log, signed by it.
 *
 * Not seen, for no record tells it: that a parcel was called given up, or a reprint printed, that never was; a head taken out,
 * which its witness then has not signed.
 *
 * Thread rule: one call, one thread.
 */
#ifndef FL_PROVE_CHECK_OUTBOX_H
#define FL_PROVE_CHECK_OUTBOX_H

#include "audit/summary.h"

#include <sqlite3.h>

/* Adds findings of the class rows to out->report, whose log was verified. */
FL_MUST enum fl_err check_outbox(sqlite3 *db, struct check_result *out, struct fl_why *why);

#endif
