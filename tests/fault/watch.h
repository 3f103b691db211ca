/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.h: a program run and watched: that it is slow is no failure, that it hangs is.
 *
 * It is looked at once a second, with all its threads and children (its process group). While one of them runs, waits for a
 * processor or waits for the disk, it is at work, however long a busy machine makes it take. When for `quiet_s` looks in a
 * row all of them slept and together had less than 10 ms of processor time, it hangs: it is killed. What runs in a circle is
 * killed after WATCH_CPU_S of processor time in one process. No wall clock decides anything.
 *
 * Linux: /proc and a descriptor of a process.
 */
#ifndef FL_TESTS_FAULT_WATCH_H
#define FL_TESTS_FAULT_WATCH_H

enum { WATCH_QUIET_S = 60 /* usual */, WATCH_CPU_S = 300 };

/* Run argv, both outputs into the file `said`. Its exit code, or 128 and the signal that ended it; why it was killed stands
 * at the end of `said`. Ends the caller's program with 99 when nothing can be started. */
int watch_run(char *const argv[], unsigned quiet_s, const char *said);

#endif
