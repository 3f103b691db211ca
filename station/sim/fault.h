/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.h: what can be made to go wrong, and when.
 *
 * Vocabulary: bytes are flipped, dropped, doubled or inserted on the wire; or all bytes of a direction are translated, as
 * by a terminal's settings or a protocol that nobody else speaks; a reply is lost or late; a
 * command is refused (nak) or answered with success and not done (lie); the board dies, resets, browns
 * out or vanishes from the bus. Habits last from power-up: no auto-reset circuit, an echoing adapter, a
 * dead line, an application that talks. README.md has one row with an example for each.
 *
 * When: `op` limits a fault to frames of one opcode, `nth` to the nth such frame (1 = first), `at` to a
 * place in it: a byte (0 is the opening C0) or one of SIM_AT_OPEN, SIM_AT_CLOSE. Without op and nth,
 * `at` counts the bytes in that direction since power-up. With `rate`, chance decides byte by byte or
 * command by command. `count` ends it after so many times, 0 never.
 */
#ifndef FL_SIM_FAULT_H
#define FL_SIM_FAULT_H

#include "sim/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  enumerator  name           kind of trigger: W byte on the wire, T every byte, C command, H habit   what it does */
#define SIM_FAULT_LIST(X)                                                                          \
    X(FLIP, "flip", W, "one bit of a byte changes")                                                \
    X(DROP, "drop", W, "a byte is lost")                                                           \
    X(DUP, "dup", W, "a byte arrives twice")                                                       \
    X(INSERT, "insert", W, "a byte that nobody sent arrives before this one")                      \
    X(XONXOFF, "xonxoff", T, "software flow control eats 11 and 13")                               \
    X(ADD_CR, "add_cr", T, "0D is put before each 0A")                                             \
    X(CR_TO_LF, "cr_to_lf", T, "each 0D becomes 0A")                                               \
    X(LF_TO_CR, "lf_to_cr", T, "each 0A becomes 0D")                                               \
    X(SEVEN_BITS, "seven_bits", T, "the highest bit of each byte is lost")                         \
    X(TELNET, "telnet", T, "each FF is doubled")                                                   \
    X(LOSE_REPLY, "lose_reply", C, "the command is done, its reply never comes")                   \
    X(DELAY, "delay", C, "the reply comes late")                                                   \
    X(NAK, "nak", C, "the command is refused and not done")                                        \
    X(LIE, "lie", C, "the command is answered with success and not done")                          \
    X(WORK, "work", C, "the flash refuses the work of this command")                               \
    X(DIE, "die", C, "the chip stops: no answer to this nor anything until it is reset")           \
    X(DEAD, "dead", C, "the chip stops for good: no reset brings it back")                         \
    X(RESET, "reset", C, "the chip restarts instead of doing this")                                \
    X(BROWNOUT, "brownout", C, "the chip restarts and says that its supply was low")               \
    X(UNPLUG, "unplug", C, "the port vanishes and comes back after `ms`")                          \
    X(GONE, "gone", C, "the port vanishes for good")                                               \
    X(APP_ONLY, "app_only", H, "no auto-reset circuit: every reset starts the application")    \
    X(DOWNLOAD_ONLY, "download_only", H, "the boot button is held: every reset is a download") \
    X(NO_RESET, "no_reset", H, "RTS reaches nothing: the chip is never reset")                     \
    X(ECHO, "echo", H, "the adapter sends back what the host sends, beside the chip's answers")    \
    X(SHORTED, "shorted", H, "TX and RX are joined: the host hears itself and nobody else")        \
    X(TX_DEAD, "tx_dead", H, "nothing the host sends arrives")                                     \
    X(SILENT, "silent", H, "nothing the chip sends arrives")                                     \
    X(TALK, "talk", H, "an application that talks runs after every reset")                         \
    X(PANIC, "panic", H, "an application that crashes again and again")                            \
    X(BROWNOUTS, "brownouts", H, "the supply fails on every start of an application")              \
    X(BAUD_LIMIT, "baud_limit", H, "above `above` baud bytes arrive damaged at `rate`")

enum sim_fault_kind {
#define X(id, name, kind, text) SIM_FAULT_##id,
    SIM_FAULT_LIST(X)
#undef X
        SIM_FAULT_KINDS,
};

enum sim_fault_class { SIM_FAULT_W, SIM_FAULT_T, SIM_FAULT_C, SIM_FAULT_H };
enum sim_fault_dir { SIM_TO_CHIP, SIM_TO_HOST };

enum { SIM_FAULTS_MAX = 16, SIM_OP_ANY = -1, SIM_AT_ANY = -1, SIM_AT_OPEN = -2, SIM_AT_CLOSE = -3 };

struct sim_fault {
    enum sim_fault_kind kind;
    enum sim_fault_dir dir; /* W and T only */
    int op;                 /* SIM_OP_ANY or an opcode */
    uint32_t nth;           /* 0: any */
    int64_t at;
    double rate;     /* 0: always where it matches */
    uint32_t count;  /* 0: no end */
    uint32_t ms;     /* DELAY, UNPLUG */
    uint32_t above;  /* BAUD_LIMIT */
    int byte;        /* INSERT: which byte, -1: by chance. FLIP: which bits to change, -1: one by chance */
    int code;        /* NAK: the status, first byte high; -1: as the loader itself would say it */
    /* state */
    uint32_t seen, fired; /* frames that matched op; times it happened */
    uint64_t bytes;       /* in this direction, when neither op nor nth is given */
};

struct sim_fault_row {
    const char *name;
    enum sim_fault_class class_;
    const char *text;
};
extern const struct sim_fault_row sim_fault_rows[SIM_FAULT_KINDS];

/* A fault of this kind that always matches, with the kind's usual count: 1 for W and C, 0 for T and H. */
struct sim_fault sim_fault_of(enum sim_fault_kind kind);

/* ---- the wire: one tracker a direction ----------------------------------------------------------- */

struct sim_track {
    bool in_frame;
    uint32_t pos; /* of the byte that comes next, raw bytes since the opening C0 */
    int op;       /* SIM_OP_ANY until byte 2 was seen */
};

/* Pass `n` bytes through the wire faults of direction `dir`; what comes out is given to `emit`, one
 * call a run of bytes. Frames are followed across calls; an opening C0 can be hit by opcode only when
 * the two bytes behind it come in the same call. */
void sim_fault_wire(struct sim_fault *faults, size_t n_faults, struct sim_rng *rng,
                    struct sim_track *track, enum sim_fault_dir dir, const uint8_t *bytes, size_t n,
                    void (*emit)(void *ctx, const uint8_t *bytes, size_t n), void *ctx);

/* The first command fault that fires for this opcode, or NULL. Counts the command in all of them. */
struct sim_fault *sim_fault_command(struct sim_fault *faults, size_t n_faults, struct sim_rng *rng,
                                    int op);
/* The habit of this kind, or NULL. */
const struct sim_fault *sim_fault_habit(const struct sim_fault *faults, size_t n_faults,
                                        enum sim_fault_kind kind);

#endif
