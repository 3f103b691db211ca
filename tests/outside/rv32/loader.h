/* SPDX-License-Identifier: Apache-2.0
 *
 * loader.h: the part of the boot ROM's loader that comes before a stub: SYNC, registers, security
 * information, RAM download. Answers as recorded from the ROM of a real chip: eight answers to SYNC, four
 * status bytes, a wrong checksum is 01 07 and uses the sequence number up, a wrong number or an unknown
 * command is 01 05. Writing flash without a stub is not here: those commands are unknown ones.
 */
#ifndef OUTSIDE_LOADER_H
#define OUTSIDE_LOADER_H

#include "outside/rv32/board.h"

enum { LOADER_FRAME_MAX = 0x4200 };

struct loader {
    struct board *board;
    uint8_t frame[LOADER_FRAME_MAX];
    uint32_t length;
    bool escaped, too_long;
    uint8_t last_op;           /* of the last command that was known */
    uint32_t next, at, end;    /* RAM download: next number, next address, end of what was announced */
    bool loading;
    uint32_t entry;            /* not 0: the caller starts the board there */
};

void loader_reset(struct loader *l, struct board *b);
void loader_receive(struct loader *l, uint8_t byte);

#endif
