/* SPDX-License-Identifier: Apache-2.0
 *
 * board_impl.h: the inside of a board, for the files that are parts of it: board.c (clock), bridge.c
 * (bytes), circuit.c (lines, port), boot.c (reset, texts), rom*.c and stub*.c (the two loaders), order.c
 * (command faults).
 *
 * `now` is the board's own time: that of the event being handled. Loaders compute at once and give the
 * time their work takes to the reply; nothing outside can see the difference.
 */
#ifndef FL_SIM_BOARD_IMPL_H
#define FL_SIM_BOARD_IMPL_H

#include "base/buf.h"
#include "sim/board.h"
#include "sim/flash.h"
#include "sim/ram.h"
#include "sim/regs.h"
#include "sim/rom.h"
#include "sim/stub.h"
#include "sim/wire.h"

enum { SIM_TALK_STEPS = 40, SIM_TALK_MAX = 16384 };

/* Text that the chip says by and by: up to step[i].end at step[i].at. */
struct sim_talk {
    struct fl_buf text;
    size_t said;
    struct {
        uint64_t at;
        size_t end;
    } step[SIM_TALK_STEPS];
    size_t steps, next;
    uint64_t again_at; /* SIM_NEVER, or when boot.c goes round its loop again */
};

/* What a command fault has made of the command being handled; cleared before each. */
struct sim_order {
    bool lie;        /* flash and RAM stay as they are */
    bool fail_work;  /* flash work reports failure */
    bool mute;       /* no reply leaves */
    uint64_t late;   /* ns added to the reply */
};

struct sim_burst {
    uint64_t last;    /* when the host's last byte came */
    size_t count;     /* bytes since the last pause */
    size_t lose_at;   /* position of the next loss */
    bool answered;    /* the chip sent something since */
};

struct sim_board {
    struct sim_spec spec;
    const struct sim_stubs *stubs;
    struct sim_journal *journal;       /* borrowed; NULL: none */
    uint64_t bytes_down, bytes_up;     /* since power-up of the board's model */
    uint64_t flash_ns;                 /* erasing, programming, hashing so far */
    struct sim_rng rng;
    uint64_t now;

    enum sim_mode mode;
    bool dtr, rts, port_up, jtag_download;
    size_t cable_faults; /* how many of the spec's last faults are the cable's */
    bool hand_download;         /* USB-Serial/JTAG: the button was held at power-up, no core reset asks again */
    uint64_t strap_at, port_at; /* SIM_NEVER, or when straps are read, when the port comes back */
    uint64_t watchdog_at;
    uint64_t hold_until;        /* with both lines asserted after a reset: straps wait until then */

    uint32_t host_baud, chip_baud, next_baud;
    uint64_t next_baud_at;
    bool autobaud; /* the ROM takes the host's speed until its first SYNC */
    struct sim_wire down, up; /* to the chip, to the host */
    struct sim_track track_down, track_up;
    struct sim_burst burst;

    struct sim_flash flash;
    struct sim_regs regs;
    struct sim_ram ram;
    struct sim_order order;
    struct sim_rom rom;
    struct sim_stub stub;
    struct sim_talk talk;
    unsigned panics; /* rounds of the loop that boot.c is in */
};

/* ---- board.c -------------------------------------------------------------------------------------- */

const struct sim_fault *sim_habit(const struct sim_board *b, enum sim_fault_kind kind);
/* `us` in ns with pace real, 0 with pace fast. */
uint64_t sim_takes(const struct sim_board *b, double us);

/* ---- bridge.c ------------------------------------------------------------------------------------- */

/* Bytes out of the chip's UART, `delay` ns after now. */
void sim_send(struct sim_board *b, uint64_t delay, const uint8_t *bytes, size_t n);
/* The same as one SLIP frame. Returns when its last byte has left the chip. */
uint64_t sim_send_frame(struct sim_board *b, uint64_t delay, const uint8_t *body, size_t n);
void sim_switch_baud(struct sim_board *b, uint32_t baud, uint64_t at);
/* The next bytes for the chip: when they are all there, and giving them. */
uint64_t sim_slice_due(const struct sim_board *b);
void sim_give_slice(struct sim_board *b);
/* When the next bytes have reached the host. */
uint64_t sim_read_due(const struct sim_board *b);

/* ---- circuit.c ------------------------------------------------------------------------------------ */

void sim_power_up(struct sim_board *b);
void sim_read_straps(struct sim_board *b);
enum sim_cause { SIM_CAUSE_POWER, SIM_CAUSE_WATCHDOG, SIM_CAUSE_BROWNOUT, SIM_CAUSE_SOFTWARE };
/* The chip restarts itself: a reset that looks at the strap pin again, which only the transistors can hold low. */
void sim_restart(struct sim_board *b, enum sim_cause cause);
void sim_port_down(struct sim_board *b, uint64_t back_at);
void sim_port_back(struct sim_board *b);

/* ---- boot.c --------------------------------------------------------------------------------------- */

/* Everything volatile is forgotten; the chip is held in SIM_OFF. */
void sim_halt(struct sim_board *b);
/* The chip leaves reset now, its boot strap low or not. */
void sim_start(struct sim_board *b, bool download, enum sim_cause cause);
/* The application (or the lack of one) starts now, without a reset: out of the loader. */
void sim_run_flash(struct sim_board *b);
uint64_t sim_talk_due(const struct sim_board *b);
void sim_talk_tick(struct sim_board *b);

/* ---- order.c -------------------------------------------------------------------------------------- */

enum sim_go { SIM_GO, SIM_GO_NAK, SIM_GO_NOWHERE };
/* Ask the command faults about this opcode: do it (b->order says how), refuse it with *code, or forget
 * it because the chip is no longer there. */
enum sim_go sim_command(struct sim_board *b, int op, int *code);

/* Flash and RAM as the loaders see them: through the order. The time the work takes is added to *ns. */
bool sim_do_erase(struct sim_board *b, uint32_t addr, uint32_t n, uint64_t *ns);
bool sim_do_program(struct sim_board *b, uint32_t addr, const uint8_t *bytes, size_t n, uint64_t *ns);
bool sim_do_ram(struct sim_board *b, uint32_t addr, const uint8_t *bytes, size_t n);
void sim_do_write_regs(struct sim_board *b, const uint8_t *entries, size_t n, uint64_t *ns);
uint32_t sim_read_reg(const struct sim_board *b, uint32_t addr);
/* The reply to GET_SECURITY_INFO; returns its length, 0: the chip has none. */
size_t sim_security_info(const struct sim_board *b, uint8_t out[static 20]);

/* XOR of the bytes, seed EF: the loaders' packet checksum. */
uint8_t sim_checksum(const uint8_t *bytes, size_t n);

#endif
