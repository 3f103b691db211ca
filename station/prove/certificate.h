/* SPDX-License-Identifier: Apache-2.0
 *
 * certificate.h: one record with the proof that it is in the signed log, as one text file that needs nothing else
 * (audit/proof_file.h): the record's bytes, the path to the root, the newest signed head.
 *
 * Thread rule: `db` has one owner; one transaction should be open, so that leaf and head belong together.
 */
#ifndef FL_PROVE_CERTIFICATE_H
#define FL_PROVE_CERTIFICATE_H

#include "base/buf.h"

#include <sqlite3.h>
#include <stdint.h>

/* Append the file for leaf `index`: under the head over it that most witnesses signed (cosigned_over), if there is one; else under
 * the newest. `data` is the station's folder. FL_NOT_FOUND: there is no such leaf, or no head over it yet. */
FL_MUST enum fl_err certificate_best(sqlite3 *db, const char *data, int64_t index, struct fl_buf *out, struct fl_why *why);
/* The record that certifies a unit: the unit_final behind its newest PASS. FL_ARG: `mac` is none (event_mac_parse).
 * FL_NOT_FOUND: never seen here, or never passed. */
FL_MUST enum fl_err certificate_of_unit(sqlite3 *db, const char *mac, int64_t *index, struct fl_why *why);
/* Append the newest signed head: a note as auditors and witnesses keep it. */
FL_MUST enum fl_err certificate_head(sqlite3 *db, struct fl_buf *out, struct fl_why *why);

#endif
