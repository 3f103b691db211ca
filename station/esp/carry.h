/* SPDX-License-Identifier: Apache-2.0
 *
 * carry.h: does the line carry every byte as it is, and in time? Asked when a session has failed for good.
 *
 *   to the chip:   blocks of chosen values into RAM; the ROM's checksum says of each whether it arrived. Halved until
 *                  single values are left that never arrive, beside the same block without them, which always does
 *   to the host:   words of known values read back from RAM; what came in their place says what became of them
 *   in time:       SYNC and its answer, with all patience
 *
 * A line that damages bytes by chance is none of this: a value counts when it failed each of VALUE_ROUNDS times and its
 * neighbour never. What a program in between does to bytes has a pattern, and the pattern a name: software flow control
 * eats 11 and 13, a text mode changes line ends, telnet doubles FF, a port of 7 bits loses the highest one.
 *
 * Nothing in flash is read or written. Thread rule: the session's.
 */
#ifndef FL_ESP_CARRY_H
#define FL_ESP_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CARRY_VALUES = 8, CARRY_BECAME = 3, CARRY_TEXT = 280 };
/* ms: no USB stack and no local network holds a byte back for so long, twice in a row */
enum { CARRY_LATE_MIN = 250 };

/* One direction. */
struct carry_way {
    bool asked; /* it could be, and what was found is sure */
    size_t n;   /* values that do not arrive as they are, at most CARRY_VALUES; 0: all do */
    struct {
        uint8_t value;
        bool known; /* what arrives in its place, which may be nothing (to the host only) */
        uint8_t n, became[CARRY_BECAME];
    } bad[CARRY_VALUES];
};

struct carry {
    struct carry_way to_chip, to_host;
    bool twice;        /* one SYNC was answered as two are: what the chip says comes a second time */
    bool seven_bits;   /* the chip's answers come without their highest bits */
    unsigned blocks, hurt, lost; /* sent into RAM; of those, told not to have arrived as sent; not answered */
    unsigned lost_last; /* of these, those behind the last that was answered: where none was hurt, a chip that went away loses them, not a line */
    uint32_t round_ms; /* the shorter of two: a SYNC and its answer, where that took longer than a SYNC is given; else 0 */
};

/* What it means, in one sentence with what to do, the first that holds of round_ms, twice, seven_bits, bytes; false: every byte
 * arrives, or it is not known. */
bool carry_text(const struct carry *c, char out[static CARRY_TEXT]);
/* Do these bytes hold answers to SYNC whose C0 have become 40? */
bool carry_seven_bits(const uint8_t *bytes, size_t n);

#endif
