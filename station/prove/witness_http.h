/* SPDX-License-Identifier: Apache-2.0
 *
 * witness_http.h: a witness's folder behind HTTP (audit/witness.h): POST /add-checkpoint, GET /<SHA-256 of the origin>/checkpoint,
 * GET /vkey. Plain HTTP: everything that goes over it is signed and public. Bodies above 16 KiB are refused.
 *
 * Thread rule: start and stop from one thread; it runs one of its own.
 */
#ifndef FL_PROVE_WITNESS_HTTP_H
#define FL_PROVE_WITNESS_HTTP_H

#include "audit/witness_store.h"

struct witness_http; /* opaque */

/* `listen`: address:port, [v6]:port; port 0: any. `log` is called with one line a request. FL_ARG, FL_BUSY, FL_IO. */
FL_MUST enum fl_err witness_http_start(const char *listen, struct witness_store *store, void (*log)(const char *line),
                                       struct witness_http **out, struct fl_why *why);
/* "http://127.0.0.1:8333" */
const char *witness_http_url(const struct witness_http *w);
void witness_http_stop(struct witness_http *w); /* NULL is fine */

#endif
