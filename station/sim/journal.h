/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h: what clients do to boards and when, on the boards' own clocks: a JSON object a line.
 *
 *   {"us":0,"what":"start","monotonic_us":88123456}            the machine's clock at zero; the first line
 *   {"us":1042117,"board":1,"what":"lines","dtr":0,"rts":1}
 *   {"us":1192400,"board":1,"what":"frame","loader":"rom","op":8,"baud":115200,"down":44,"up":0,"work":0}
 *
 *   us     time since the simulator started, in microseconds
 *   what   "client" (came), "left", "lines" (as they are now), "frame": a request, complete, the moment the loader
 *          takes it up: before its answer and before its work
 *   baud   the chip's; down, up: bytes that the chip has received and the host has been given since power-up
 *   work   microseconds of erasing, programming and hashing that the flash has been told until then
 *
 * For measurements: client and simulator need not know of each other. Lines are written in blocks and when a client
 * leaves. Thread rule: the simulator's thread.
 */
#ifndef FL_SIM_JOURNAL_H
#define FL_SIM_JOURNAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_board;
struct sim_journal; /* opaque; NULL: none is kept, and the calls below do nothing */

FL_MUST enum fl_err sim_journal_open(const char *path, uint64_t now, struct sim_journal **out, struct fl_why *why);
void sim_journal_close(struct sim_journal *j);

void sim_journal_frame(struct sim_board *b, int op);
void sim_journal_lines(struct sim_board *b);
void sim_journal_client(struct sim_board *b, uint64_t now, bool came);

#endif
