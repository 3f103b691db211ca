/* SPDX-License-Identifier: Apache-2.0
 * serve.h: server.c as MHD sees it; cls is the struct web. */
#ifndef FL_WEB_SERVE_H
#define FL_WEB_SERVE_H

#include <microhttpd.h>

enum MHD_Result serve_request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *body, size_t *body_n, void **state);
void serve_done(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code);

#endif
