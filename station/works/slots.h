/* SPDX-License-Identifier: Apache-2.0
 *
 * slots.h: the slots as people wrote them into those that the line takes. Thread rule: one thread.
 */
#ifndef FL_WORKS_SLOTS_H
#define FL_WORKS_SLOTS_H

#include "profile/station_file.h"

/* Hubs are taken apart into their sockets; then every port must be a port, every number and port there once. FL_ARG: the
 * sentence says which slot is wrong. FL_NOMEM. */
FL_MUST enum fl_err slots_resolve(struct station_file *s, struct fl_why *why);

#endif
