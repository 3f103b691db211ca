/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor.h: what is wrong between this host and that chip, from evidence.
 *
 *   doctor_examine ─► struct doctor_facts (numbers) ─► doctor_judge ─► findings, the likeliest first
 *
 * Non-destructive: blocks go into the chip's RAM (MEM_BEGIN, MEM_DATA, never MEM_END) where a stub would
 * lie, and the ROM's checksum says of each whether it arrived. Nothing in flash is read or written. The
 * chip is reset into its application afterwards and listened to for a moment.
 *
 * What a verdict of one bit can tell:
 *   - which sizes, speeds and pauses lose blocks: a burst is one block, with silence before it;
 *   - a block that is sent one byte too long, with the checksum of the right length, is taken only when
 *     exactly one byte was lost on the way: it tells loss from change. With another byte value in one
 *     quarter of it, it is taken only when the loss was in that quarter: it tells where.
 * Whether this chip's ROM judges that way is asked first, with blocks too short to be damaged by bursts.
 *
 * Thread rule: doctor_examine owns the link while it runs, about 14 s on a sound line, 3 minutes at most;
 * doctor_judge is pure.
 */
#ifndef FL_ESP_DOCTOR_H
#define FL_ESP_DOCTOR_H

#include "esp/carry.h"
#include "esp/esp.h"
#include "esp/text.h"

enum { DOCTOR_CELLS_MAX = 48, DOCTOR_SPEEDS_MAX = 5, DOCTOR_QUARTERS = 4 };

/* Blocks of one size at one speed. */
struct doctor_cell {
    uint32_t baud, block;   /* bytes of payload; the frame around it has 26 more */
    uint32_t burst, gap_us; /* written at once, and the pause behind; burst 0: the frame in one write */
    unsigned sent, refused; /* refused: for their checksum (01 07) */
    unsigned lost;          /* refused otherwise, or never answered: the frame itself was damaged */
    uint64_t bytes;
};

/* Blocks that were one or two bytes too long: taken when as many were lost. */
struct doctor_losses {
    uint32_t baud, block; /* bytes sent in one */
    unsigned sent, taken; /* all of them */
    unsigned sent_in[DOCTOR_QUARTERS], taken_in[DOCTOR_QUARTERS]; /* a loss in this quarter of the block */
};

struct doctor_speed {
    uint32_t baud;
    bool proved; /* the chip answered at it */
};

struct doctor_facts {
    struct link_info link;
    struct esp_problem problem; /* why the examination ended early; fault NONE: it did not */
    bool answered;              /* a loader did */
    struct esp_unit unit;
    bool ram;       /* blocks into RAM could be tried */
    bool stub;      /* a stub answers, which does not check blocks for RAM */
    bool tells;     /* the ROM judges lengths and checksums as the method needs it */
    struct doctor_cell cells[DOCTOR_CELLS_MAX];
    size_t n_cells;
    struct doctor_losses losses[DOCTOR_SPEEDS_MAX];
    size_t n_losses;
    struct doctor_speed speeds[DOCTOR_SPEEDS_MAX];
    size_t n_speeds;
    struct carry carry;  /* what the line does to bytes; asked at the end, unless a stub runs */
    unsigned restarts;   /* of the chip by itself, in the middle of the test */
    unsigned cut;        /* answers that arrived damaged */
    unsigned echoes;     /* our own frames that came back */
    struct text_signs before, after; /* boot text: until the loader answered; after the reset into the application */
    bool brownout;       /* at any time */
    char quote[TEXT_QUOTE]; /* the last line the chip said */
};

/* Measures. `config`: chip, reset, connect_attempts, and as baud the highest speed to try; the rest is not
 * looked at. `progress` may be NULL: static text about what is done now. FL_OK: *out says what was found, also
 * when nobody answered. FL_CANCELLED: the link's wake was raised. FL_ARG, FL_NOMEM. */
FL_MUST enum fl_err doctor_examine(struct link *link, const struct esp_config *config,
                                   void (*progress)(void *ctx, const char *doing), void *ctx,
                                   struct doctor_facts *out);

/* ---- what it means ---------------------------------------------------------------------------- */

enum doctor_sure { DOCTOR_NO, DOCTOR_POSSIBLE, DOCTOR_LIKELY, DOCTOR_CERTAIN };
const char *doctor_sure_name(enum doctor_sure s); /* "possible", ... */

enum { DOCTOR_TEXT_MAX = 400, DOCTOR_FINDINGS_MAX = 8 };
struct doctor_finding {
    const char *cause;  /* "bridge", "cable", "power", ...; "fine": nothing is wrong; static */
    const char *title;  /* the same in plain words; static */
    const char *advice; /* static */
    enum doctor_sure sure;
    char evidence[DOCTOR_TEXT_MAX]; /* the numbers behind it */
};

/* What works here, of what was tried (doctor_sum.c): for the profile, and what the ladder would find by itself. */
struct doctor_setting {
    uint32_t baud;               /* 0: nothing worked */
    uint32_t ram_block;          /* largest block that always arrived; 0: none did */
    uint32_t burst, burst_gap_us; /* 0: no pauses needed */
};

/* The findings, at least one and the likeliest first; returns how many. */
size_t doctor_judge(const struct doctor_facts *f, struct doctor_finding out[static DOCTOR_FINDINGS_MAX]);
struct doctor_setting doctor_setting(const struct doctor_facts *f);

/* Cells summed up: those of a speed (0: any), of block sizes from .. to, with pauses or without. */
struct doctor_sum {
    unsigned sent, bad; /* bad: refused and lost */
    uint64_t bytes;
};
struct doctor_sum doctor_sum(const struct doctor_facts *f, uint32_t baud, uint32_t from, uint32_t to, bool paced);

#endif
