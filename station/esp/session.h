/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h: what the files of this room share about one conversation. Nobody outside includes it.
 *
 *   esp.c                 the calls of esp.h, in their order
 *   job.c                 all regions: skip, write, verify; unproven.c: where nothing can be verified
 *   ladder.c              which rung comes next after which trouble (a table); rung.c: taking it
 *   resend.c              blocks refused as damaged: sent again, or with pauses
 *   blame.c               after a failure: is it the unit or the line; carry.c: does the line carry every byte, and in time
 *   connect.c, identify.c, load.c, baud.c, flash.c     one stage each; run.c: the way out
 *   look.c                is it in flash already, is it in flash now
 *   write.c, verify.c     a region into flash, and the chip's MD5 of it; pieces.c: sector by sector; spi.c: flash commands
 *   command.c             typed commands          wire.c    frames, waits, resynchronisation
 *
 * Inside, a call that fails has filled e->problem and e->trouble (esp_fail) before it returns its
 * fl_err; callers pass the error up and never rewrite the evidence. e->trouble decides whether a
 * rung can help: TROUBLE_DEAD ends the session at once.
 */
#ifndef FL_ESP_SESSION_H
#define FL_ESP_SESSION_H

#include "esp/chip.h"
#include "esp/esp.h"
#include "esp/packet.h"
#include "esp/reset.h"
#include "esp/slip.h"
#include "esp/stub.h"
#include "esp/text.h"

/* Every wait of the room that is not an answer to something: times.c, with the reasons. */
struct esp_times {
    /* limits: how long an answer may take */
    uint32_t command, sync, sync_rest, greeting, early_greeting, mem_end, probe, quick_probe, send, late_sync;
    uint32_t md5_mb, erase_mb, work_mb, chip_erase_mb; /* for each 1,000,000 bytes */
    /* pauses that nothing can replace */
    uint32_t stub_gap, settle, rom_settle, quiet, grace, flash_wake, watchdog, boot, app, late;
};
extern const struct esp_times esp_times_default;

enum esp_stage {
    STAGE_OPEN,   /* nothing known of the other side */
    STAGE_SYNCED, /* a loader answers */
    STAGE_KNOWN,  /* which chip, which unit */
    STAGE_LOADED, /* the stub runs, or it is settled that ROM does the work */
    STAGE_FAST,   /* at the working speed, proved */
    STAGE_FLASH,  /* flash attached, its size told */
};

enum esp_trouble {
    TROUBLE_DEAD,     /* no rung can help */
    TROUBLE_SILENT,   /* no answer, or half of one: what was done is not known */
    TROUBLE_DAMAGED,  /* refused because bytes were lost (or changed, a ROM does not say) on the way;
                         nothing was done */
    TROUBLE_FLIPPED,  /* refused because bytes changed and none was lost; nothing was done */
    TROUBLE_REFUSED,  /* refused for another reason */
    TROUBLE_WORK,     /* an operation on the flash failed, perhaps an earlier one */
    TROUBLE_RESTART,  /* the chip restarted by itself */
    TROUBLE_GREETING, /* the stub did not start */
    TROUBLE_SPEED,    /* the new speed does not carry */
    TROUBLE_SYNC,     /* no loader answers any more */
    TROUBLE_COUNT,
};

/* What the session was doing: the ladder is another one in each. */
enum esp_work { WORK_TALK, WORK_LOAD, WORK_SPEED, WORK_WRITE, WORK_COUNT };

enum { ESP_ROM_REACH = 16 << 20 }; /* ROM sends 24-bit addresses: beyond, writes wrap to 0 */

enum { ESP_SHORT_BLOCK = 0x400 }; /* long ones say little of a line that damages single bytes */

/* How a line carries blocks. */
struct esp_sample {
    unsigned sent, refused;
    uint64_t bytes; /* of those sent */
};

/* Sectors of a region that were found wrong: where in it they begin. */
enum { ESP_BAD_MAX = 32 };
struct esp_bad {
    size_t n; /* may be more than are kept */
    unsigned blocks; /* of 64 KB that they lie in */
    uint32_t at[ESP_BAD_MAX];
};

struct esp {
    struct link *link;
    struct esp_config config;
    struct esp_tuning tune;     /* of this session */
    struct esp_tuning start;    /* what it began with */
    struct esp_tuning *learned; /* the caller's: set to `tune` when a unit came out right */
    struct esp_observer observer;
    struct esp_times times;

    /* the wire */
    struct slip_reader rx;
    uint8_t in[4096];
    size_t in_at, in_n; /* in[in_at .. in_n) is received and not yet parsed */
    struct fl_buf tx, next; /* the request in flight; the one being made ready meanwhile */
    struct text_log text;
    uint64_t text_mark; /* text before this is of no interest any more */
    bool greeted, restarted;
    unsigned resets;    /* played since the session began to connect anew */
    unsigned boots_due; /* of these, those whose boot texts were not heard before the loader answered */
    unsigned echoes, frames, syncs; /* since it connected; the last: answers to SYNC */
    struct packet_status refusal; /* of the last SYNC that was refused since the session connected anew */
    uint32_t reg_last; /* the value that READ_REG gave last */
    unsigned strays;   /* other values that came when nothing was asked */
    unsigned unasked;  /* those and the same once more, since the loader was last asked whether it is there */
    bool unsent; /* the port did not take the last request in its time */
    struct esp_counters count;
    struct esp_cell *cell; /* of the block sent last; NULL: none, or more kinds than there are places for */

    /* where the conversation is */
    enum esp_stage stage, furthest;
    bool failed;
    bool rom;  /* settled: no stub in this session */
    bool early; /* the ROM was put to the working speed */
    unsigned early_troubles; /* while it was */
    bool went_late;          /* that was taken back in this session */
    bool stub; /* a stub answers */
    uint32_t magic; /* what CHIP_MAGIC_REG reads: the known answer of every probe */
    bool magic_known;
    const struct chip *chip;
    struct esp_unit unit;
    struct chip_security efuses;
    const struct stub *image; /* the stub that was loaded last, or is being loaded */
    uint32_t loaded[2];       /* bytes of its segments that are in RAM, since the chip's last reset */
    bool identified, info_silent;
    bool unit_again; /* its MAC address was read once more, later, and is the same */
    unsigned unknown; /* times the magic word told nothing */
    bool encrypts;       /* BEGIN asks the chip to encrypt what it writes (unproven.c) */
    uint64_t flash_size; /* asked for; 0: as detected */
    struct esp_flash_info flash;
    unsigned strategy; /* index into the reset cycle: the one that worked last */
    enum reset_usb usb;
    struct {
        bool open; /* commands in a row: what the controller was set to is kept here meanwhile */
        uint32_t usr, usr2;
    } spi;

    /* trouble and what was done about it */
    enum esp_work work;
    enum esp_trouble trouble;
    struct esp_problem problem;
    uint8_t tried[WORK_COUNT][TROUBLE_COUNT]; /* next row of each list */
    unsigned taken[ESP_RUNG_COUNT], climbs;
    struct esp_sample recent, unpaced; /* blocks since the last rung; those before the last pacing */
    bool paced_in_vain;
    unsigned pace; /* next step of pacing */
    uint64_t slowest_ns;         /* the longest wait for a block's answer that did come */
    bool patient;                /* a silence was cut short once: wait the whole limit from now on */
    bool disturbed, powered, unlocked;
    bool stubborn; /* no rung is left for damaged blocks: they are sent until they arrive */
    unsigned persisted; /* regions begun again after the last rung, at one place */
    /* Plain bytes of the region in work that the ROM has acknowledged: it goes on from their last sector. Where it
     * stood when a rung was taken last. */
    uint32_t resume_at, resume_mark;
    struct esp_bad bad, bad_before; /* of the region in work: found wrong last, and the time before */
    struct packet_status data_reply; /* to FLASH_DATA, the last that came, awaited or not */
    uint32_t answered;   /* a bit an opcode below 32: that was answered in this session */
    bool silent_usual;   /* the last silence was one to such an opcode */
    unsigned revived;    /* times that ended without a reset */
    unsigned sent, carried; /* short blocks into RAM and flash, at this speed; those that the chip took */
    unsigned asked, asked_in_vain; /* short questions, at this speed; those without a good answer */
    uint64_t since_ns;      /* when the session began */
    bool unsure; /* something failed since the loader last proved that it understands us */
    struct fl_deadline limit; /* of the whole call */
    uint64_t plain_done, plain_total; /* of esp_write, for the gauge */
    bool forms;       /* of esp_write: the regions' compressed forms are there */
    uint64_t same_to; /* of esp_write: up to this offset the flash was found to hold the image already; 0: nowhere */
    bool blank;       /* of esp_write: the region looked at last begins with blank flash */
};

/* ---- trouble ------------------------------------------------------------------------------------ */

enum fl_err esp_fail(struct esp *e, enum esp_trouble t, enum esp_fault f, enum fl_err err,
                     const char *fmt, ...) FL_PRINTF(5, 6);
/* The chip's boot text was heard instead of what was awaited. */
enum fl_err esp_fail_restart(struct esp *e, const char *name, const char *what);
/* After a failed link call: gone, cancelled, or this program's fault; or, with FL_STATE, a restart that was heard in it. */
enum fl_err esp_fail_link(struct esp *e, enum fl_err err, const char *doing);
void esp_rung(struct esp *e, enum esp_rung_kind kind, uint32_t value, const char *fmt, ...)
    FL_PRINTF(4, 5);
void esp_step(struct esp *e, const char *name);

/* ---- wire.c ------------------------------------------------------------------------------------- */

struct answer {
    struct packet_status status;
    uint32_t value;
    const uint8_t *data; /* points into the session, until the next read */
    size_t n;
    bool foreign; /* a refusal under another opcode: of a request whose head arrived damaged */
};

/* One frame, or any bytes, in one write or in bursts as the slot's tuning says. */
FL_MUST enum fl_err wire_send(struct esp *e, const void *bytes, size_t n);
/* The answer to `op`: FL_OK, FL_REFUSED (see a->status), FL_TIMEOUT, FL_FORMAT (cut short), FL_STATE
 * (the chip restarted), or the link's error. Fills no problem. */
FL_MUST enum fl_err wire_await(struct esp *e, uint8_t op, size_t payload, uint32_t ms,
                               struct answer *a);
/* The next frame as it came, whatever it holds; at most `cap` bytes of it. */
FL_MUST enum fl_err wire_frame(struct esp *e, uint32_t ms, uint8_t *out, size_t cap, size_t *n);
/* The stub's greeting. */
FL_MUST enum fl_err wire_greeting(struct esp *e, uint32_t ms);
/* Let time pass; what arrives is read, text is kept, frames are dropped. */
FL_MUST enum fl_err wire_listen(struct esp *e, uint32_t ms);
/* The same, but nothing is read: it is the application's, for who comes after the session; its first byte ends the wait. */
FL_MUST enum fl_err wire_await_app(struct esp *e, uint32_t ms);
/* Until `enough`, at most `ms`; what arrives is treated alike. */
FL_MUST enum fl_err wire_hear(struct esp *e, uint32_t ms, bool (*enough)(const struct esp *));
/* The same as a pause of the work: fills the problem. */
FL_MUST enum fl_err esp_pause(struct esp *e, uint32_t ms);
/* Read away what is on its way, until it is quiet; the reader starts afresh. */
FL_MUST enum fl_err wire_quiet(struct esp *e);
/* Put the loader's framing right and prove that it answers. Fills the problem. */
FL_MUST enum fl_err wire_resync(struct esp *e);
/* DB 00, a pause, silence: the stub's receiver is outside a frame afterwards. */
FL_MUST enum fl_err wire_break(struct esp *e);
void wire_forget(struct esp *e); /* the reader and what was received and not parsed */

/* ---- command.c: each fills the problem when it fails ---------------------------------------------- */

FL_MUST enum fl_err esp_ask(struct esp *e, uint8_t op, const void *data, size_t n, size_t payload,
                            uint32_t ms, struct answer *a);
/* What went wrong with `op`, from wire_await's error. `what` names the place: "block 3 of 7". */
enum fl_err esp_fail_command(struct esp *e, uint8_t op, enum fl_err err, const struct answer *a,
                             uint32_t ms, const char *what);
FL_MUST enum fl_err esp_words(struct esp *e, uint8_t op, const uint32_t *words, size_t n, uint32_t ms);
FL_MUST enum fl_err esp_read_reg(struct esp *e, uint32_t addr, uint32_t *value);
/* Twice the same answer in a row, three times where the line was seen to hurt: neither question nor answer carries a checksum. */
FL_MUST enum fl_err esp_read_reg_sure(void *session, uint32_t addr, uint32_t *value);
struct reg_write {
    uint32_t addr, value, mask;
};
FL_MUST enum fl_err esp_write_regs(struct esp *e, const struct reg_write *w, size_t n);
FL_MUST enum fl_err esp_write_reg(struct esp *e, uint32_t addr, uint32_t value);
/* One SYNC and what it brings; *stub when a stub answered. FL_TIMEOUT: nobody did. No problem filled. */
FL_MUST enum fl_err esp_sync(struct esp *e, uint32_t ms, bool *stub);
/* READ_REG of the magic word gives what it gave before. */
FL_MUST enum fl_err esp_probe(struct esp *e);
/* The same as a question that need not be answered: *yes, or nothing was heard within `ms`. Fills no problem; the
 * error is the link's. */
FL_MUST enum fl_err esp_answers(struct esp *e, uint32_t ms, bool *yes);
/* Limit in ms for `bytes` of work at `per_mb` ms for each 1,000,000, never under the command's. */
uint32_t esp_scaled(const struct esp *e, uint64_t bytes, uint32_t per_mb);

/* ---- stages ------------------------------------------------------------------------------------- */

FL_MUST enum fl_err esp_stage_connect(struct esp *e);
uint32_t esp_connect_baud(const struct esp *e);
/* A reset sequence, in the language of reset.h. */
FL_MUST enum fl_err esp_play(struct esp *e, const char *text);
/* The same into the application over USB of the chip's own: what is heard stays to be read, and ends the waits. */
FL_MUST enum fl_err esp_play_into_app(struct esp *e, const char *text);
FL_MUST enum fl_err esp_stage_identify(struct esp *e);
FL_MUST enum fl_err esp_power_flash(struct esp *e); /* power.c: where the loader leaves the flash without supply */
FL_MUST enum fl_err esp_stage_load(struct esp *e);
/* The stub whose place in this chip's RAM can be written to, whether it may run there or not: the loader does not use that memory.
 * NULL: RAM is closed, a stub runs there, or no place is known. */
const struct stub *esp_stub_place(const struct esp *e, const struct chip *c);
FL_MUST enum fl_err esp_stage_speed(struct esp *e);
/* The working speed while the ROM still answers, where it can and the slot has not learned otherwise. */
FL_MUST enum fl_err esp_speed_early(struct esp *e);
FL_MUST enum fl_err esp_stage_flash(struct esp *e);
/* To the goal, without or with the ladder. */
FL_MUST enum fl_err esp_reach_once(struct esp *e, enum esp_stage goal);
FL_MUST enum fl_err esp_reach(struct esp *e, enum esp_stage goal);

/* ---- ladder.c ----------------------------------------------------------------------------------- */

enum { ESP_CLIMBS_MAX = 60 }; /* rungs that a session takes at most */

/* The next rung for e->trouble in e->work is taken; FL_OK: try again. Else the problem is final. */
FL_MUST enum fl_err esp_climb(struct esp *e);
/* A piece of work came out right: its lists start from their beginning again. */
void esp_ladder_rest(struct esp *e);
/* ---- rung.c -------------------------------------------------------------------------------------- */

/* False: impossible here (no lower speed, no stub to give up, no supply to switch). */
bool esp_take_rung(struct esp *e, enum esp_rung_kind k);
/* The list is at its end, and it is the line that is bad: what is left is to go on. Ended by the clock where it gets on, and by
 * a count where it does not. */
bool esp_persist(struct esp *e);
/* The speed is raised by the stub from here on, where raising it in the ROM brought trouble twice. Counts as a climb. */
bool esp_take_late(struct esp *e);

/* ---- resend.c ------------------------------------------------------------------------------------ */

/* A block was refused as damaged, and may be sent again. False: not again, so many are refused that
 * another rung is due. Paces the writes by itself when bytes get lost often. */
bool esp_again(struct esp *e, unsigned times_refused);
/* A block of `n` bytes went out: counted, before it is known what becomes of it. */
void esp_sent(struct esp *e, size_t n);
/* ---- blame.c ------------------------------------------------------------------------------------- */

/* Was anything damaged, asked twice or not answered in this session? Then answers that agree prove less. */
bool esp_line_hurt(const struct esp *e);
/* Were so many exchanges damaged that the line can be the cause of anything? Then it is made the final problem. */
bool esp_line_bad(const struct esp *e);
/* Bad, and for a while already, and not one block in ten got through? */
bool esp_line_hopeless(const struct esp *e);
/* For so long, and of so many, that no rung is worth taking any more? */
bool esp_line_given_up(const struct esp *e);
void esp_blame_line(struct esp *e);
/* Waits until it is quiet. True: answers came that nobody had asked for, and that is the problem now. */
bool esp_doubt(struct esp *e);
/* At the end of a session that failed: a line that translates is proved to (carry.c), and then it is the cause. */
void esp_name_line(struct esp *e);
/* A verdict on the unit that a line which damages nearly all would bring about: only then are plain blocks counted, which takes
 * many seconds on such a line. Where the line is blamed already they would tell nothing new. */
bool esp_carry_judges(enum esp_fault f);

/* ---- carry.c -------------------------------------------------------------------------------------- */

struct carry;
/* What the line does to bytes and how long it holds them. The session is over: the chip is reset into its loader, and
 * e->problem is overwritten; tuning and counters stay. */
void esp_carry(struct esp *e, struct carry *out);

/* ---- flash -------------------------------------------------------------------------------------- */

/* One SPI command through the chip's controller: `opcode`, then `n_out` bits out of `out`, then
 * `n_in` bits into *in (at most 32). */
struct spi_command {
    uint8_t opcode;
    uint8_t out_bits, in_bits, addr_bits, dummy_bits;
    uint32_t out, addr;
};
FL_MUST enum fl_err esp_spi(struct esp *e, struct spi_command c, uint32_t *in);
/* Around several of them: the controller's setting is read and put back once. An error ends the row. */
FL_MUST enum fl_err esp_spi_begin(struct esp *e);
FL_MUST enum fl_err esp_spi_end(struct esp *e);
enum { FLASH_RESET_ENABLE = 0x66, FLASH_RESET = 0x99 };
FL_MUST enum fl_err esp_spi_flash_reset(struct esp *e); /* both, and the controller put back */
/* Clear block protection if the status registers show any. *cleared: there was some. */
FL_MUST enum fl_err esp_unprotect(struct esp *e, bool *cleared, uint32_t *status);

/* job.c: what esp_write does, and how long it may take in all. */
FL_MUST enum fl_err esp_write_all(struct esp *e, const struct esp_region *regions, size_t n, bool skip,
                                  struct esp_region_result *results);
uint64_t esp_write_limit_ms(const struct esp_region *regions, size_t n);
/* Its parts that unproven.c needs too: regions that can be written at all, and may be, and a job on one of them until it
 * comes right or no rung is left. */
FL_MUST enum fl_err esp_check_regions(struct esp *e, const struct esp_region *regions, size_t n);
FL_MUST enum fl_err esp_refuse(struct esp *e, const char *why); /* security.refused, final */
/* security.refused where writing there would leave this chip dead, whatever is written. */
FL_MUST enum fl_err esp_check_deadly(struct esp *e, const struct esp_region *regions, size_t n);
/* Regions side by side that are worked on together, and what came of each. */
struct esp_run {
    const struct esp_region *r;
    struct esp_region_result *res;
    size_t n;
};
typedef enum fl_err esp_job(struct esp *e, const struct esp_run *run);
FL_MUST enum fl_err esp_with_ladder(struct esp *e, const struct esp_run *run, esp_job *job);
FL_MUST enum fl_err esp_job_write(struct esp *e, const struct esp_run *run);
/* pieces.c, for a run of one: the sectors that differ are found (e->bad), and written alone; more than half of them: all of it is. */
FL_MUST enum fl_err esp_job_find(struct esp *e, const struct esp_run *run);
void esp_bad_text(const struct esp *e, const struct esp_region *r, char *out, size_t cap); /* words for the problem */
FL_MUST enum fl_err esp_job_mend(struct esp *e, const struct esp_run *run);
FL_MUST enum fl_err esp_write_pieces(struct esp *e, const struct esp_region *r); /* from e->resume_at on */
bool esp_bad_moved(const struct esp *e); /* are other sectors wrong than the time before? */
/* identify.c: is it the unit that it was said to be? The run is of no interest. */
FL_MUST enum fl_err esp_job_same(struct esp *e, const struct esp_run *run);
/* look.c, each for a run of one: SKIPPED or PENDING, before a write; VERIFIED or BAD, behind it. */
FL_MUST enum fl_err esp_job_look(struct esp *e, const struct esp_run *run);
FL_MUST enum fl_err esp_job_compare(struct esp *e, const struct esp_run *run);
FL_MUST enum fl_err esp_blank_md5(uint32_t n, uint8_t md5[static FL_MD5_SIZE]); /* of n bytes FF */
/* unproven.c */
FL_MUST enum fl_err esp_write_all_unproven(struct esp *e, const struct esp_region *regions, size_t n,
                                           struct esp_region_result *results);
/* As it is told to BEGIN: with encryption a multiple of what the chip encrypts at once. */
uint32_t esp_begin_size(const struct esp *e, uint32_t size);
/* run.c: reset into the application. */
FL_MUST enum fl_err esp_leave(struct esp *e);

/* write.c: one BEGIN..END over n regions that join (n is 1 without the stub), no ladder inside beyond refused blocks. */
FL_MUST enum fl_err esp_write_run(struct esp *e, const struct esp_region *r, size_t n);
/* The chip's own MD5. */
FL_MUST enum fl_err esp_flash_md5(struct esp *e, uint32_t offset, uint32_t size,
                                  uint8_t md5[static FL_MD5_SIZE]);

#endif
