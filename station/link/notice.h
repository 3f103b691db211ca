/* SPDX-License-Identifier: Apache-2.0
 *
 * notice.h: the system's word that ports came or went, so that nobody must look all the time.
 *
 * On Linux by inotify on the folders that hold the ports' device files (/dev, and that of each pty:PATH): the
 * kernel makes and removes the file, and udev changes its owner a moment later; all three are heard. That works
 * without privileges and in containers. Elsewhere there is none (notice_plain.c), and looking is all there is.
 *
 * A notice says that something changed, not what: whoever is woken looks (link_port_there).
 *
 * Thread rule: one owner.
 */
#ifndef FL_LINK_NOTICE_H
#define FL_LINK_NOTICE_H

#include "link/link.h"

struct link_notice; /* opaque */

/* Watch where these n ports would appear; network ports have no such place. FL_UNSUPPORTED: this system gives no
 * notice. */
FL_MUST enum fl_err link_notice_open(const char *const *urls, size_t n, struct link_notice **out,
                                     struct fl_why *why);
void link_notice_close(struct link_notice *w); /* NULL is fine */

/* Until something changed since the last call (FL_OK), the wake is raised (FL_CANCELLED) or the deadline. */
FL_MUST enum fl_err link_notice_wait(struct link_notice *w, struct fl_wake *wake, struct fl_deadline d);

#endif
