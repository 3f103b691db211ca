/* SPDX-License-Identifier: Apache-2.0
 *
 * event.h: the facts that makers send and recorders keep.
 *
 * An event becomes one leaf of the signed log. Its body here holds what only the maker knows; the
 * recorder adds what every leaf has (v, log, seq, event, time, boot, mono_ms, clock, station, sw) at
 * the moment of the commit and writes the whole as canonical JSON (base/json.h).
 *
 *   kind             body members (besides those of every leaf)
 *   log_open         origin, vkey, next?, previous?, policy (audit/policy_told.h)        [recorder]
 *   boot             host, reason, sends (1), made_again? (records a crash took, given back by the signer)  [recorder]
 *   attempt_start    job, slot, port, bridge?, profile, operator?, lot?, mac?, chip?, purpose?, serial?
 *   attempt_result   see struct attempt_facts
 *   interrupted      job, slot, mac?, start (leaf of the attempt_start)         [recorder]
 *   profile          job (= hash), hash, name, version, text, images [{offset,size,file,sha256}]
 *   clock_step       from_ms, to_ms, why?, operator? (an engineer's: it was ahead)                                        [recorder]
 *   key_rotate       vkey, next (SHA-256 of the public half of the key after it)        [recorder]
 *   key_retire       -: no head follows but the one over it                             [recorder]
 *   heartbeat        -                                                          [recorder]
 *   log_close        -                                                          [recorder]
 *   unit_final       behind every PASS: record/unit_final.h                     [recorder]
 *   anchor           head, token, url: a timestamp from outside
 *   lot_open         job, lot, product?, profiles [{hash, images [sha256, ...]}], planned?, authorised?,
 *                    duplicates ("refuse", "reflash"), tries?, rules?, operator?
 *   lot_close        job, lot, why?, operator?
 *   operator         job, operator, shift?, change ("begin", "end", "forget")
 *   note             job, mac?, lot?, text, operator?
 *   disposition      job, mac, lot?, disposition ("scrap", "rework", "released"), why, operator?
 *   config           job, what ("station"; "policy": recorder), text, operator?, detail?
 *   line_stop        job, slot? (none: the whole line), lot?, rule, why
 *   line_reopen      job, slot?, why, operator
 *   serial           job, serial, state ("reserved", "returned"), lot?, mac?, operator?: by hand; attempts do it themselves
 *   label            job, state ("printed", "reprinted"), printer?, mac?, lot?, serial?, attempt? (leaf), operator?
 *   tuning           job, slot, port, bridge?, what ("learned", "step_up"), baud?, ram_block?, flash_block?, burst?, gap_us?,
 *                    rom_only?, slow_reset?, late_speed?: a whole setting, what is left out is as usual
 *
 * lot_open: `authorised` is how many distinct units may pass, `planned` how many are wanted; `tries` how many
 * attempts a unit may fail before it must be dispositioned "rework" (which gives as many again). `rules` is any
 * object: the record keeps it, whoever reads it checks it.
 * purpose: "golden", "known_bad", "dry_run": such an attempt enters no yield and no quantity.
 * serial: reserved by the attempt_start, confirmed by a PASS, returned by any other end, in the same transaction.
 * operator: a name or badge; the recorder puts a tag (salted hash) into the leaf and keeps the name in the table
 * `person` outside the log.
 *
 * Some events are refused rather than recorded: the ticket is then answered FL_REFUSED with a fault (fault.h) where
 * it is an attempt's, and a sentence. record/allow.h has the rules.
 *
 * A record with parcels (parcel.h) has `sends`, added by the recorder: store/outbox_told.h.
 *
 * `job` is the idempotency key: a random UUID made by the maker, or the hash of what is told. One job has at
 * most one leaf of a kind; sending it again adds nothing and is answered FL_OK with the first one's index.
 *
 * Ownership: event_new gives an event to the caller; a successful put into the facts queue gives it to
 * the recorder, which frees it. A ticket stays with whoever made it and must outlive the answer.
 * Thread rule: an event has one owner at a time; a ticket is shared by maker and recorder.
 */
#ifndef FL_EVENT_EVENT_H
#define FL_EVENT_EVENT_H

#include "base/hash.h"
#include "base/json.h"
#include "base/queue.h"
#include "event/fault.h"
#include "event/parcel.h"

#include <stdio.h>

/* id, name, may a verb send it from outside (record/tell.h)? The others are the line's or the recorder's own. */
#define EVENT_KINDS(X)                                                                             \
    X(LOG_OPEN, "log_open", false)                                                                 \
    X(BOOT, "boot", false)                                                                         \
    X(ATTEMPT_START, "attempt_start", false)                                                       \
    X(ATTEMPT_RESULT, "attempt_result", false)                                                     \
    X(INTERRUPTED, "interrupted", false)                                                           \
    X(PROFILE, "profile", true)                                                                    \
    X(CLOCK_STEP, "clock_step", false)                                                             \
    X(HEARTBEAT, "heartbeat", false)                                                               \
    X(LOG_CLOSE, "log_close", false)                                                               \
    X(UNIT_FINAL, "unit_final", false)                                                             \
    X(ANCHOR, "anchor", true)                                                                      \
    X(LOT_OPEN, "lot_open", true)                                                                  \
    X(LOT_CLOSE, "lot_close", true)                                                                \
    X(OPERATOR, "operator", true)                                                                  \
    X(NOTE, "note", true)                                                                          \
    X(DISPOSITION, "disposition", true)                                                            \
    X(CONFIG, "config", true)                                                                      \
    X(LINE_STOP, "line_stop", true)                                                                \
    X(LINE_REOPEN, "line_reopen", true)                                                            \
    X(SERIAL, "serial", true)                                                                      \
    X(LABEL, "label", true)                                                                        \
    X(TUNING, "tuning", false)                                                                     \
    X(KEY_ROTATE, "key_rotate", false)                                                             \
    X(KEY_RETIRE, "key_retire", false)

enum event_kind {
#define X(id, name, outside) EVENT_##id,
    EVENT_KINDS(X)
#undef X
    EVENT_KIND_COUNT
};
const char *event_kind_name(enum event_kind k);
bool event_kind_parse(const char *name, enum event_kind *out);
bool event_kind_outside(enum event_kind k); /* may a verb send it? */

enum { EVENT_JOB_TEXT = 37 };                   /* UUID with its closing zero */
FL_MUST enum fl_err event_job(char out[static EVENT_JOB_TEXT]); /* a new UUID, version 7: time and chance */

/* ---- the answer: durable, or why not ---------------------------------------------------------- */

struct event_ticket {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t answered;
    bool done;
    enum fl_err err;      /* FL_OK: the leaf is durable and signed */
    int64_t leaf;         /* its index, -1 when there is none */
    const char *fault;    /* FL_REFUSED: name of the fault (fault.h), static; "" none */
    struct fl_why why;
};
FL_MUST enum fl_err event_ticket_init(struct event_ticket *t);
void event_ticket_fini(struct event_ticket *t);
void event_ticket_reset(struct event_ticket *t); /* ready for another event */
void event_ticket_answer(struct event_ticket *t, enum fl_err err, int64_t leaf,
                         const struct fl_why *why); /* recorder's side */
/* The same for an event that the rules refuse: err is FL_REFUSED. */
void event_ticket_refuse(struct event_ticket *t, const char *fault, const struct fl_why *why);
/* FL_OK: durable. FL_TIMEOUT: not known yet; the event may still become durable. */
FL_MUST enum fl_err event_ticket_wait(struct event_ticket *t, struct fl_deadline d, int64_t *leaf,
                                      struct fl_why *why);
/* After an answer FL_REFUSED: the fault that says why, "" where there is none. */
const char *event_ticket_fault(struct event_ticket *t);

/* ---- the event -------------------------------------------------------------------------------- */

struct event {
    enum event_kind kind;
    json_t *body;                /* owned object; NULL: adds no leaf, only its parcels count */
    struct event_ticket *ticket; /* borrowed, may be NULL */
    struct parcel *parcels;      /* owned; what is to leave the station because of it (parcel.h) */
    bool typed;                  /* the body was made from facts that are sure to have rows (event_attempt) */
};
struct event *event_new(enum event_kind kind, json_t *body, struct event_ticket *t); /* takes body, also on failure; NULL: no memory */
struct event *event_leafless(struct event_ticket *t); /* for parcels alone; answered with leaf -1 */
void event_free(struct event *e);

/* ---- to the recorder -------------------------------------------------------------------------- */

/* A body without `job` is given a new one. Takes body, also on failure; NULL: no memory, or body was NULL. */
json_t *event_with_job(json_t *body);
/* Takes `e` (NULL: FL_NOMEM), also on failure: into the recorder's queue, where room comes by `room`. FL_TIMEOUT, FL_STATE (the
 * recorder ends): its ticket will not be answered. */
FL_MUST enum fl_err event_put(struct fl_queue *facts, struct event *e, struct fl_deadline room, struct fl_why *why);
/* The same for an event without a ticket, and waits for the answer; without a deadline, for the recorder answers whatever it
 * took. `leaf` (may be NULL) is written only when it was answered. */
FL_MUST enum fl_err event_tell(struct fl_queue *facts, struct event *e, struct fl_deadline room, int64_t *leaf, struct fl_why *why);

/* ---- one attempt ------------------------------------------------------------------------------ */

enum {
    ATTEMPT_RUNGS_MAX = 64, ATTEMPT_REGIONS_MAX = 512, ATTEMPT_STEPS_MAX = 16, ATTEMPT_TEXT_MAX = 64,
    ATTEMPT_WHY_MAX = 300, ATTEMPT_BOOT_TEXT_MAX = 512, ATTEMPT_PASS_TEXT_MAX = 96, ATTEMPT_HOOKS_MAX = 4, ATTEMPT_MEASURES_MAX = 16,
    ATTEMPT_CELLS_MAX = 16,
    ATTEMPT_HOOK_TEXT_MAX = 1024,
};

struct attempt_step {
    const char *name; /* "connect", "identify", "gate", "stub", "baud", "erase", "write", "verify", ... static */
    uint32_t ms;
    unsigned rungs; /* of the recovery ladder taken in it */
};
struct attempt_rung {
    const char *name;  /* "resend", "baud_down", ... static */
    const char *cause; /* fault name, static */
    uint32_t value, count; /* the last value; how many times in a row the same rung was taken in this step */
    const char *step;      /* in which step; static, NULL: before the first */
};
struct attempt_cell { /* blocks of at most so many bytes at one speed */
    uint32_t baud, bytes, sent, refused;
};
struct attempt_damage { /* what the line did, as the loader told it */
    uint64_t refused, lost, changed; /* blocks and commands refused as damaged; of them bytes missing, bytes changed */
    uint64_t silent, cut;            /* not answered; answers that arrived damaged */
    struct attempt_cell cells[ATTEMPT_CELLS_MAX];
    size_t n_cells;
};
struct attempt_region {
    uint32_t offset, size;
    uint8_t md5[16], md5_found[16];
    char state; /* 's' skipped, 'v' written and verified, 'b' bad, 'w' written only, '-' not reached */
    unsigned writes;
};

struct attempt_hook { /* a command around the attempt */
    const char *name; /* "before", "station.after", ... static */
    int exit;         /* its exit code; below 0: minus the signal that ended it; 127: not started */
    uint32_t ms;
    char output[ATTEMPT_HOOK_TEXT_MAX]; /* the end of what it said, may hold any byte */
    size_t output_n;
};
struct attempt_measure { /* a number that the application said; in millionths */
    char name[33], unit[16];
    int64_t value, low, high;
    bool has_low, has_high;
    const char *verdict; /* "ok", "marginal", "low", "high", static */
};

/* Everything that is known when an attempt ends. Zeroed and filled by the slot worker; strings are
 * copied by value so that nothing here points into a session. */
struct attempt_facts {
    char job[EVENT_JOB_TEXT];
    int slot;
    char port[200], bridge_path[ATTEMPT_TEXT_MAX], bridge_driver[ATTEMPT_TEXT_MAX],
        bridge_serial[ATTEMPT_TEXT_MAX];
    unsigned bridge_vid, bridge_pid;
    char bridge_product[ATTEMPT_TEXT_MAX];
    unsigned bridge_mbps;       /* of its USB: 12, 480; 0: not known */
    unsigned bridge_latency_ms; /* its driver's latency timer as it was found; 0: it has none */
    bool bridge_slow; /* its driver has no low-latency mode: each answer may wait for a timer */
    bool bridge_fast; /* it has, and it is on; neither: not known */
    char profile[65]; /* SHA-256 of its canonical content, hex */
    char operator_id[ATTEMPT_TEXT_MAX], lot[ATTEMPT_TEXT_MAX];
    const char *purpose; /* "golden", "known_bad", "dry_run", static; NULL or "": production, which alone counts */
    char serial[ATTEMPT_TEXT_MAX]; /* serial number bound to the unit; "" none */

    enum outcome outcome;
    const char *fault; /* name, static; "" for PASS */
    const char *step;  /* where it ended, static */
    char why[ATTEMPT_WHY_MAX];
    unsigned tries;    /* how often the whole attempt was gone through inside (retry.attempts) */

    char chip[16];
    bool has_mac, has_eui64;
    uint8_t mac[6], eui64[8];
    unsigned revision; /* major * 100 + minor */
    uint32_t flash_id; /* JEDEC */
    uint64_t flash_size;
    int secure_boot, flash_encryption; /* -1 unknown, 0, 1 */
    bool secure_download, jtag_off;    /* false: off, or not known */
    bool has_security_flags;
    uint32_t security_flags; /* as GET_SECURITY_INFO gives them: bit 0 secure boot, 2 secure download, 6 JTAG off by
                                software, 7 by fuse, 8 USB off, ... */
    char stub[ATTEMPT_TEXT_MAX]; /* name of what flashed: "rom" or the stub's */
    uint32_t baud;             /* the data was written at */
    uint64_t bytes_out, bytes_in, plain_bytes;
    int64_t start_ms, end_ms; /* wall, UTC */
    uint32_t duration_ms;     /* monotonic */

    struct attempt_step steps[ATTEMPT_STEPS_MAX];
    size_t n_steps;
    struct attempt_damage damage;
    struct attempt_rung rungs[ATTEMPT_RUNGS_MAX];
    size_t n_rungs;
    struct attempt_region regions[ATTEMPT_REGIONS_MAX];
    size_t n_regions;
    char boot_text[ATTEMPT_BOOT_TEXT_MAX]; /* tail of what the board said, may hold any byte */
    size_t boot_text_n;
    struct attempt_hook hooks[ATTEMPT_HOOKS_MAX];
    size_t n_hooks;
    struct attempt_measure measures[ATTEMPT_MEASURES_MAX];
    size_t n_measures;
};

/* The bodies. Members that are unknown or empty are left out. Short names, because a leaf is kept for
 * ever: regions are arrays [offset, size, md5, state] with the found MD5 as a fifth entry only where it
 * differs; secure_download and jtag_off are told only when on; bridge.low_latency is 0 or 1, and left out where it is not
 * known; damage ({refused, lost, changed, silent, cut, blocks [[baud, bytes, sent, refused], ...]}) is there where anything
 * of it is not 0, and
 * security_flags where the chip gives them; steps are [[name, ms], ...] with the number of
 * rungs taken in the step as a third entry where there were any; rungs are [[name, cause, value, count, step], ...] (records of
 * older programs: without the step);
 * hooks are [[name, exit, ms, output], ...]; measures are [[name, value, scale, unit, low, high, verdict], ...], the three
 * numbers whole and times ten to the power of scale, a missing limit null; boot_text of a PASS is its last 96 bytes. What
 * an earlier record has told in the same words the recorder leaves out (rows/abridge.h). NULL: no memory. */
json_t *event_attempt_start_body(const struct attempt_facts *f);
json_t *event_attempt_result_body(const struct attempt_facts *f);

/* An event with that body, ATTEMPT_START or ATTEMPT_RESULT. Where each fact is one that a row can hold (all that a line finds out
 * are) it is typed: its rows may follow while it is being signed (ledger/ledger.h). NULL: no memory. */
struct event *event_attempt(enum event_kind kind, const struct attempt_facts *f, struct event_ticket *t);

/* What a slot learned about its bridge, told when it changes. Zero: as usual. */
struct event_tuning {
    const char *what; /* "learned", "step_up", static */
    uint32_t baud, ram_block, flash_block, burst, gap_us;
    bool rom_only, slow_reset, late_speed;
};
/* Slot, port and bridge as in `f`; a job of its own. */
json_t *event_tuning_body(const struct attempt_facts *f, const struct event_tuning *t);

/* "24:6f:28:aa:bb:cc". Lower case, colons; n = 6 or 8; out holds 3 n characters. And back: accepts colons,
 * dashes or nothing between, either case; gives the number of bytes (6 or 8), 0 for anything else. */
void event_mac_format(const uint8_t *mac, size_t n, char *out);
size_t event_mac_parse(const char *text, uint8_t out[static 8]);

#endif
