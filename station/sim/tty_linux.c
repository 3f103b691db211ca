/* SPDX-License-Identifier: Apache-2.0
 * Any speed, not only those with a name: termios2. Alone in a file because the kernel's and the C library's
 * declarations of struct termios cannot be included together. */
#ifdef __linux__
#include <asm/termbits.h>
#include <stdint.h>
#include <sys/ioctl.h>

uint32_t sim_tty_baud(int fd);

uint32_t sim_tty_baud(int fd)
{
    struct termios2 t;
    return ioctl(fd, TCGETS2, &t) == 0 ? t.c_ospeed : 0;
}
#else
typedef int fl_sim_tty_linux_is_not_built_here;
#endif
