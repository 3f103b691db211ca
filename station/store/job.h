/* SPDX-License-Identifier: Apache-2.0
 *
 * job.h: jobs as the bytes that column leaf.job holds.
 *
 * Thread rule: pure.
 */
#ifndef FL_STORE_JOB_H
#define FL_STORE_JOB_H

#include <stddef.h>
#include <stdint.h>

enum { JOB_MAX = 32, JOB_TEXT = 65 };
/* A UUID in its one lower-case form is 16 bytes, 64 lower-case hex digits are 32; 0: neither. */
size_t job_bytes(const char *text, uint8_t out[static JOB_MAX]);
/* And back; "" for another length. */
void job_text(const uint8_t *bytes, size_t n, char out[static JOB_TEXT]);

#endif
