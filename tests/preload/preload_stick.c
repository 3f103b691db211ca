/* SPDX-License-Identifier: Apache-2.0
 *
 * preload_stick.c: a file system that knows no second names for a file, as FAT and exFAT on a stick and many network shares.
 *
 * Under the address sanitizer its library comes first, as for preload_tty.c. */
#include <errno.h>
#include <unistd.h>

int link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    errno = EPERM;
    return -1;
}
