/* SPDX-License-Identifier: Apache-2.0
 *
 * recorder_hooks.h: for tests only: another clock, another signer, a hand on the database between writing and reading
 * back. What NULL and 0 leave alone is as in production.
 */
#ifndef FL_RECORD_RECORDER_HOOKS_H
#define FL_RECORD_RECORDER_HOOKS_H

#include "audit/signer.h"
#include "record/recorder.h"

#include <sqlite3.h>

struct recorder_hooks {
    void *ctx;
    int64_t (*wall_ms)(void *ctx);
    void (*written)(void *ctx, sqlite3 *db); /* a batch is written and not yet sealed */
    const struct signer_kind *signer;
    const void *signer_config; /* NULL: the folder's key */
    uint64_t heartbeat_ms, mark_ms, look_ms;
    int wal_pages; /* ledger_config */
};

FL_MUST enum fl_err recorder_open_hooked(const struct recorder_config *c, const struct recorder_hooks *hooks,
                                         struct recorder **out, struct recorder_opened *opened, struct fl_why *why);

#endif
