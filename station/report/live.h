/* SPDX-License-Identifier: Apache-2.0
 *
 * live.h: questions that pages ask again and again: the line's course over the last hours, what each slot did last,
 * units by a part of their MAC, the log's head. JSON out; read-only. Definitions as in report/report.h.
 *
 * Attempts are found by when they began (an index), so that a day is as fast among ten million attempts as among a hundred.
 *
 * Thread rule: as report.h.
 */
#ifndef FL_REPORT_LIVE_H
#define FL_REPORT_LIVE_H

#include "event/board.h"
#include "report/report.h"

/* The attempts that began in [from_ms, to_ms) in `buckets` (1..500) steps of equal length:
 * {"from","to","bucket_ms",
 *  "totals":{"attempts","pass","fail","error","aborted","interrupted","first","first_passed"},
 *  "buckets":[{"t","attempts","pass","fail","error","first","first_passed","p50","p90"}],   p50, p90: ms of a PASS
 *  "slots":[{"slot","attempts","pass","fail","error","first","first_passed","p50","p90","with_rungs"}],
 *  "pareto":[{"fault","attempts","units","what","who"}]}
 * Golden and known-bad samples and dry runs are in none of them. from_ms 0: from the first attempt; less: from 1970 on. New reference. FL_ARG: the
 * range or number is wrong. */
FL_MUST enum fl_err report_course(struct report *r, int64_t from_ms, int64_t to_ms, unsigned buckets, json_t **out,
                                  struct fl_why *why);

/* When the first attempt that began at from_ms or later did so; 0: there is none. */
FL_MUST enum fl_err report_first_since(struct report *r, int64_t from_ms, int64_t *out, struct fl_why *why);

/* The head of a board: sums over the whole log, from the tallies. */
struct report_counts {
    char station[64];
    int64_t outcome[5]; /* attempts, by enum outcome */
    int64_t units, first_passed, passed;
};
FL_MUST enum fl_err report_counts(struct report *r, struct report_counts *out, struct fl_why *why);

/* What each slot did last, by slot number, as a painter shows it; at most `max`. Times are monotonic as far as they
 * can be: started_ms and ended_ms are zero and the duration. */
FL_MUST enum fl_err report_slots_now(struct report *r, struct slot_view *view, size_t max, size_t *n, struct fl_why *why);

/* The newest `max` units whose MAC holds these hex digits (4 to 12, colons and dashes left out):
 * [{"mac","chip","attempts","outcome","fault","slot","start","leaf"}]. FL_ARG: too few or no digits. */
FL_MUST enum fl_err report_find_units(struct report *r, const char *part, unsigned max, json_t **out,
                                      struct fl_why *why);

/* {"station","origin","vkey","leaves","size","root","boots","verified_ms","first_ms","last_ms","open"}:
 * verified_ms is the latest start of the station, which verifies the whole log before it makes anything. */
FL_MUST enum fl_err report_log(struct report *r, json_t **out, struct fl_why *why);
/* prove/certificate.h: the file for one leaf, and the signed head. */
FL_MUST enum fl_err report_certificate(struct report *r, int64_t leaf, struct fl_buf *out, struct fl_why *why);
FL_MUST enum fl_err report_head(struct report *r, struct fl_buf *out, struct fl_why *why);

#endif
