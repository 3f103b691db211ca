/* SPDX-License-Identifier: Apache-2.0
 *
 * esp.h: a conversation with the boot loader of one ESP chip: identify, write, verify, start.
 *
 * A library of its own: it needs base/ and link/ and nothing of a station. No thread, no database,
 * no profile, no printing.
 *
 *   esp_open ─► esp_connect ─► esp_identify ─► esp_prepare ─► esp_attach_flash ─► esp_write ─► esp_run ─► esp_close
 *                  ▲                             stub, baud       id, size       ▲      │
 *                  └──────────── recovery: resync, resend, region, stub, baud, ROM, power ─┘
 *
 * esp_write_unproven stands in the place of esp_write for chips that cannot say what their flash holds (secure download
 * mode, flash encryption): no other call of this room ends well without the chip's own MD5.
 *
 * Calls are made in this order; FL_STATE otherwise. Each returns FL_OK, or an error with
 * `struct esp_problem` filled from evidence. Recovery is inside: a call that succeeds may have
 * climbed rungs, each told to the observer. After an error only esp_run and esp_close make sense.
 *
 * Facts: esp-protocol and the chips' technical reference manuals; each number's source stands in
 * the table that holds it (chip.c).
 *
 * Thread rule: one thread at a time owns a session. Sessions share nothing but const tables.
 * Ownership: link, tuning, regions and what the observer's ctx leads to are borrowed and must outlive the session; config and
 * observer are copied, the texts in them are not.
 */
#ifndef FL_ESP_ESP_H
#define FL_ESP_ESP_H

#include "esp/fault.h"
#include "esp/region.h"
#include "link/link.h"

struct esp; /* opaque */

/* ---- what the caller wants ------------------------------------------------------------------- */

enum esp_stub_mode { ESP_STUB_AUTO, ESP_STUB_REQUIRED, ESP_STUB_NEVER };
enum { ESP_STEP_DOWN_MAX = 8 };

/* What esp_write does with a chip whose flash encryption is on. */
enum esp_encrypted {
    ESP_ENCRYPTED_REFUSE,
    ESP_ENCRYPTED_AS_IS, /* regions hold what flash must hold, encrypted already: written as they are, proved by MD5 */
};

struct esp_config {
    const char *chip;  /* "esp32", "esp32c3", ...; NULL: whatever is there */
    uint32_t baud;     /* to work at; 0: stay at 115200 */
    uint32_t step_down[ESP_STEP_DOWN_MAX]; /* speeds to fall back to, in order; zero ends */
    const char *reset; /* "auto", "none", a name of reset.h, or a sequence "D0|R1|W0.1|..."; NULL: auto */
    enum esp_stub_mode stub;
    enum esp_encrypted encrypted;
    unsigned connect_attempts; /* reset and sync cycles; 0: 7 */
    /* Switch the board's supply off and on, return when it is on again; NULL: cannot. The last rung. The port may lose its supply
     * too: *link may be another one then, to the same board, the session goes on with it, and the old one is the callee's to
     * close. An error: the supply was not switched, and `why` says why. FL_GONE: it was, and the port did not come back. */
    FL_MUST enum fl_err (*power_cycle)(void *ctx, struct link **link, struct fl_why *why);
    void *power_cycle_ctx;
};

/* What a slot has learned about its bridge and cable; goes in, is updated, can be kept for the next
 * unit so that it starts at the rung that worked. Zeroed: nothing learned. */
struct esp_tuning {
    uint32_t baud;        /* the highest that held; 0: the configured one */
    uint32_t ram_block;   /* bytes a MEM_DATA block; 0: 0x1800 (0x800 on USB-OTG) */
    uint32_t flash_block; /* bytes a block into flash; 0: 0x4000 with the stub, 0x1800 without */
    uint32_t burst;       /* bytes written at once; 0: whole frames */
    uint32_t burst_gap_us; /* pause between bursts, beside the time they take on the wire */
    bool rom_only;        /* the stub never came up here */
    bool slow_reset;      /* the short reset pulse did not do, the usual one did */
    bool late_speed;      /* the speed is raised by the stub, not by the ROM before it is loaded */
};

/* ---- what the caller is told while it waits --------------------------------------------------- */

enum esp_rung_kind {
    ESP_RUNG_RESYNC,       /* DB 00 or SYNC put the framing right */
    ESP_RUNG_RESEND,       /* a refused block sent again (ROM: under the next number) */
    ESP_RUNG_REGION,       /* a region begun again */
    ESP_RUNG_RECONNECT,    /* reset and sync again */
    ESP_RUNG_SMALL_BLOCKS, /* RAM upload in smaller blocks */
    ESP_RUNG_PACED,        /* writes in bursts with pauses */
    ESP_RUNG_BAUD_DOWN,    /* a lower speed */
    ESP_RUNG_ROM,          /* without the stub */
    ESP_RUNG_POWER,        /* supply switched off and on */
    ESP_RUNG_COUNT,
};
const char *esp_rung_name(enum esp_rung_kind k); /* "resync", "resend", "region", "reconnect", ... */

struct esp_rung {
    enum esp_rung_kind kind;
    enum esp_fault cause;      /* what made it necessary */
    uint32_t value;            /* new block size, burst, baud, region offset: as the kind says */
    char text[ESP_PROBLEM_MAX]; /* evidence, for the record */
};

struct esp_observer {
    void *ctx;
    void (*step)(void *ctx, const char *step); /* enters "stub", "baud", "erase", "write", "verify" (static text) */
    void (*rung)(void *ctx, const struct esp_rung *r);                  /* a fact */
    void (*progress)(void *ctx, uint64_t plain_done, uint64_t plain_total); /* a gauge */
    void (*text)(void *ctx, const uint8_t *bytes, size_t n); /* received outside frames */
    /* Before the first region is written: returns when their compressed forms are there. Regions that the flash holds
     * already need none. An error ends the writing. */
    enum fl_err (*forms)(void *ctx);
}; /* any of them may be NULL; they run on the session's thread and must not call back */

/* ---- what is learned about the unit ----------------------------------------------------------- */

enum esp_tristate { ESP_UNKNOWN = -1, ESP_OFF = 0, ESP_ON = 1 };

struct esp_security {
    enum esp_tristate secure_boot, flash_encryption, secure_download, jtag_off;
    bool has_flags;
    uint32_t flags; /* as GET_SECURITY_INFO gives them */
};

struct esp_unit {
    const char *chip;       /* "esp32", static */
    unsigned revision;      /* major * 100 + minor; UINT_MAX: unreadable (secure download) */
    bool has_mac, has_eui64;
    uint8_t mac[6], eui64[8]; /* print order */
    unsigned crystal_mhz;     /* 0: not measured */
    struct esp_security security;
};

struct esp_flash_info {
    uint32_t jedec; /* byte 0 vendor, byte 1 type, byte 2 capacity; 0: unreadable */
    uint64_t size;  /* bytes; 0: unknown */
};

/* ---- the conversation ------------------------------------------------------------------------- */

/* FL_ARG: no link, no such chip, or no such reset (reset_check says why). FL_NOMEM. Nothing is sent yet; *out NULL on failure. */
FL_MUST enum fl_err esp_open(struct link *link, const struct esp_config *config,
                             struct esp_tuning *tuning, const struct esp_observer *observer,
                             struct esp **out);
void esp_close(struct esp *e); /* NULL is fine; leaves the link open */

/* Reset into the loader and sync. Says from what it saw why it could not (boot.mode, link.silent, ...).
 * `attempts` cycles come from the configuration; one cycle is about 0.5 s. */
FL_MUST enum fl_err esp_connect(struct esp *e, struct esp_problem *p);

/* Which chip, its MAC, revision, security state. chip.wrong when config->chip says another. *out holds
 * what was learned, also on error. */
FL_MUST enum fl_err esp_identify(struct esp *e, struct esp_unit *out, struct esp_problem *p);

/* Before a verdict on the unit for what it was identified as: was each answer one to its own question? FL_OK, or *p is
 * link.damaged, with the verdict's words at its end. Waits until nothing has come for 40 ms. */
FL_MUST enum fl_err esp_certain(struct esp *e, const char *verdict, struct esp_problem *p);

/* Load the stub (unless never, or impossible here), then raise the speed and prove it by traffic. */
FL_MUST enum fl_err esp_prepare(struct esp *e, struct esp_problem *p);
bool esp_has_stub(const struct esp *e);
uint32_t esp_baud(const struct esp *e);

/* Attach the flash, read its id, tell the loader its size. `size` 0: as detected. */
FL_MUST enum fl_err esp_attach_flash(struct esp *e, uint64_t size, struct esp_flash_info *out,
                                     struct esp_problem *p);

FL_MUST enum fl_err esp_erase_all(struct esp *e, struct esp_problem *p);

/* Write and verify regions, in order. `skip_matching`: ask the MD5 first and leave alone what is
 * right already; where flash is blank at the first and at the last of regions side by side, those between are
 * written without being asked for. On FL_OK every result is SKIPPED or VERIFIED by the chip's own MD5: there is no
 * other way to FL_OK. On error the results say how far it came. `results` has n entries. */
FL_MUST enum fl_err esp_write(struct esp *e, const struct esp_region *regions, size_t n,
                              bool skip_matching, struct esp_region_result *results,
                              struct esp_problem *p);

/* Write regions that the chip cannot prove, and only those: FL_STATE for a chip that can.
 *
 *   secure download mode   ROM commands for flash, plain blocks of 0x400 bytes, the size of the flash from the caller;
 *                          no MAC: after a reset in the middle nobody knows that it is the same board
 *   flash encryption on    the chip encrypts what it is given, as long as it is in development mode; sizes are rounded
 *                          up to 16 bytes (ESP32: 32) with FF. The ESP32 can do this through the stub only
 *
 * On FL_OK every result is WRITTEN, never VERIFIED: the chip took each block, one byte of checksum over it was right, and
 * the last pass over all regions went without any trouble. security.refused for what would leave the unit dead or
 * unreadable: both states at once, a chip whose fuses forbid encrypting in the loader, and, as of esp_write, below 0x8000 under
 * secure boot of the first version and below 0x2000 on an encrypted ESP32-C5 or P4. */
FL_MUST enum fl_err esp_write_unproven(struct esp *e, const struct esp_region *regions, size_t n,
                                       struct esp_region_result *results, struct esp_problem *p);
/* Is this such a chip? After esp_identify. */
bool esp_unproven(const struct esp_unit *u);

/* Reset into the application. The link is back at 115200 afterwards. FL_UNSUPPORTED without lines. */
FL_MUST enum fl_err esp_run(struct esp *e, struct esp_problem *p);

/* Blocks of about one length at one speed: what a line does to long bursts and to short ones. */
struct esp_cell {
    uint32_t baud, bytes;   /* bytes: at most so many of payload; 0x100, 0x400, 0x800, 0x1800 or 0x4000 */
    uint32_t sent, refused; /* refused: as damaged */
};
enum { ESP_CELLS_MAX = 16 };

struct esp_counters {
    uint64_t blocks;           /* of images, accepted by the chip */
    uint64_t damaged, timeouts, cut; /* refused for their checksum; not answered; answers damaged */
    uint64_t lost, changed;    /* of those damaged, as the stub tells: bytes missing; bytes changed. A ROM does not tell */
    struct esp_cell cells[ESP_CELLS_MAX]; /* blocks for RAM and flash, in the order they were first needed */
    size_t n_cells;
    uint64_t answers, wait_ns; /* and the time waited for them after the last byte was sent */
};
struct esp_counters esp_counters(const struct esp *e);

/* Everything received outside frames so far, the last 4 KB of it. Lives as long as the session. */
const uint8_t *esp_text(const struct esp *e, size_t *n);

#endif
