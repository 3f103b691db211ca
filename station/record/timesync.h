/* SPDX-License-Identifier: Apache-2.0
 *
 * timesync.h: is the wall clock kept right by a time service? The kernel's word, for the member `clock` of leaves.
 * Thread rule: any thread.
 */
#ifndef FL_RECORD_TIMESYNC_H
#define FL_RECORD_TIMESYNC_H

/* "sync", "free" or "unknown"; static. */
const char *timesync_state(void);

#endif
