/* SPDX-License-Identifier: Apache-2.0
 *
 * results.h: what `flash` and `run` write to standard output: one line (text or JSON) an attempt, and the
 * totals at the end; and the exit code that follows from them.
 *
 * JSON: one object a line. An attempt: {"type":"attempt","slot":3,"port":"...","mac":"...","chip":"esp32",
 * "revision":"3.0","outcome":"PASS","fault":null,"why":null,"step":null,"rungs":["resend"],
 * "rung_counts":[2],"baud":921600,"loader":"stub","bytes":1747552,"wire_bytes":1103456,"seconds":14.2,"lot":"L-7",
 * "serial":"SN-00017","purpose":null,"leaf":17}, and where the boot check measures:
 * "measures":{"vbat":{"verdict":"ok","value":3.71,"unit":"V"}}. The last one:
 * {"type":"totals","slots":8,"attempts":8,"pass":7,"fail":1,"error":0,"aborted":0,"seconds":15.0}.
 * Facts that are not known are null. Where whoever reads did not keep up: {"type":"unsaid","attempts":12}.
 *
 * Thread rule: results_add and results_note from any thread; the rest from one.
 */
#ifndef FL_CLI_RESULTS_H
#define FL_CLI_RESULTS_H

#include "cli/cli.h"
#include "base/buf.h"
#include "cli/outlet.h"
#include "event/event.h"

struct results {
    pthread_mutex_t lock; /* guards the rest and standard output */
    bool ready, json;
    size_t slots;
    uint64_t began_ms;
    unsigned attempts, count[OUTCOME_INTERRUPTED + 1];
    unsigned answered; /* attempts in which a board said something */
    struct unit_bad {
        bool has_mac;
        uint8_t mac[6];
        int slot; /* who it is when there is no MAC */
    } *bad; /* units whose latest outcome is not PASS: of those that passed nothing is kept, or a line of months would grow */
    size_t n_bad, cap_bad;
    bool twins;   /* two boards said one MAC: the other's PASS does not make up for this one */
    bool unknown; /* not every one of them is in the list: there were too many */
    struct outlet *out;
    uint64_t patience_ms; /* results_init */
    bool hold_notes;
    struct fl_buf notes; /* held */
    unsigned unsaid;     /* attempts since the last one that there was room for */
};

/* `fd`: standard output. When the line is over and nobody has read anything for `patience_ms` (UINT64_MAX: ever), the rest is given up. */
FL_MUST enum fl_err results_init(struct results *r, int format, size_t slots, int fd, uint64_t patience_ms, struct fl_why *why);
void results_fini(struct results *r);
/* Waits for no reader (cli/outlet.h): what he leaves standing too long is not told, and how many attempts that were is, when he
 * reads again: "and 12 more attempts", {"type":"unsaid","attempts":12}. */
void results_add(struct results *r, const struct attempt_facts *f, int64_t leaf);
/* A sentence about the station, on standard error; from any thread too. */
void results_note(struct results *r, const char *text);
/* From now on no note is written until results_end, for the terminal belongs to the console's tiles; no result either where
 * standard output is that terminal too. Once. */
void results_hold(struct results *r, bool results_too);
/* Writes what was held and the totals; the exit code. */
int results_end(struct results *r);

#endif
