/* SPDX-License-Identifier: Apache-2.0
 *
 * preload_tty.c: lends a pseudo-terminal a device name, modem lines and a USB place, so that the real
 * serial path (open, termios, flock, DTR and RTS by ioctl, libserialport) runs without hardware.
 *
 *   FL_TTY_MAP    "/dev/ttyUSB90=/run/sim/board1;/dev/ttyUSB91=/run/sim/board2,/run/sim/other.lines"
 *                 device = path of the pseudo-terminal (a link will do), and after a comma the unix
 *                 socket that hears of the lines (default: the path + ".lines"; none there: nobody hears),
 *                 or "none": a port without lines, as a pseudo-terminal is by itself
 *   FL_TTY_SYSFS  a folder that stands in for /sys/class/tty and /sys/bus/usb/devices (tests/preload/sysfs
 *                 fills it); unset: the machine's own
 *   FL_TTY_DEV    a folder that stands in for /dev where inotify is asked to watch it
 *   FL_TTY_LOG    a file to which every change of the lines is appended: "ttyUSB90 D1R0", one a line
 *   FL_TTY_LOOKS  a file to which every folder that is listed is appended: what was looked at, and found empty
 *
 * To the socket (SOCK_SEQPACKET, or SOCK_STREAM where the listener is one) goes one message a change:
 * 'D' or 'R' and '0' or '1', once or twice; both in one message changed in one ioctl.
 *
 * As in the kernel: the first open asserts both lines, and the last close drops them where HUPCL is set.
 *
 * Under the address sanitizer its library comes first:
 *   LD_PRELOAD="$(gcc -print-file-name=libasan.so) build/san/preload_tty.so" build/san/flashline ...
 *
 * Calls it does not know (dup, sendmsg of descriptors) lose the lines; nothing here makes them. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/serial.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

enum { PORTS = 64, FDS = 4096 };

struct port {
    char device[64], path[PATH_MAX], lines[PATH_MAX];
    int opens, modem, serial_flags, socket;
};

static struct port ports[PORTS];
static int n_ports;
static struct port *of_fd[FDS];
static char sysfs[PATH_MAX], log_path[PATH_MAX], looks_path[PATH_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards ports and of_fd after start() */

#define REAL(ret, name, ...)                                                                       \
    static ret (*real)(__VA_ARGS__);                                                               \
    ret (*found)(__VA_ARGS__) = __atomic_load_n(&real, __ATOMIC_ACQUIRE);                          \
    if (!found) {                                                                                  \
        *(void **)&found = dlsym(RTLD_NEXT, #name);                                                \
        __atomic_store_n(&real, found, __ATOMIC_RELEASE);                                          \
    }

/* ---- start ------------------------------------------------------------------------------------- */

static void copy(char *to, size_t cap, const char *from, size_t n)
{
    n = n < cap ? n : cap - 1;
    memcpy(to, from, n);
    to[n] = 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *map = getenv("FL_TTY_MAP"), *s = getenv("FL_TTY_SYSFS"), *log = getenv("FL_TTY_LOG");
    const char *looks = getenv("FL_TTY_LOOKS");
    if (s)
        copy(sysfs, sizeof sysfs, s, strlen(s));
    if (log)
        copy(log_path, sizeof log_path, log, strlen(log));
    if (looks)
        copy(looks_path, sizeof looks_path, looks, strlen(looks));
    while (map && *map && n_ports < PORTS) {
        struct port *p = &ports[n_ports];
        size_t len = strcspn(map, ";"), eq = strcspn(map, "="), comma = strcspn(map, ",");
        if (eq < len) {
            comma = comma < len ? comma : len;
            copy(p->device, sizeof p->device, map, eq);
            copy(p->path, sizeof p->path, map + eq + 1, comma - eq - 1);
            if (comma < len) {
                copy(p->lines, sizeof p->lines, map + comma + 1, len - comma - 1);
            } else {
                copy(p->lines, sizeof p->lines - strlen(".lines"), map + eq + 1, comma - eq - 1);
                strcat(p->lines, ".lines");
            }
            p->socket = -1;
            n_ports++;
        }
        map += len + (map[len] == ';');
    }
}

static struct port *by_name(const char *path)
{
    for (int i = 0; path && i < n_ports; i++)
        if (strcmp(ports[i].device, path) == 0)
            return &ports[i];
    return NULL;
}

static struct port *by_fd(int fd)
{
    pthread_mutex_lock(&lock);
    struct port *p = fd >= 0 && fd < FDS ? of_fd[fd] : NULL;
    pthread_mutex_unlock(&lock);
    return p;
}

/* Where a path really lies; `room` holds PATH_MAX. */
static const char *place(const char *path, char *room)
{
    static const char *const roots[] = {"/sys/class/tty", "/sys/bus/usb/devices"};
    struct port *p = by_name(path);
    if (p)
        return p->path;
    for (size_t i = 0; path && sysfs[0] && i < 2; i++) {
        size_t n = strlen(roots[i]);
        if (strncmp(path, roots[i], n) == 0 && (path[n] == '/' || !path[n])) {
            snprintf(room, PATH_MAX, "%.2000s%.2000s", sysfs, path + strlen("/sys"));
            return room;
        }
    }
    return path;
}

/* ---- lines ------------------------------------------------------------------------------------- */

/* Descriptors of the library's own go past the C library: the calls below would take the lock that is
 * held, and a thread sanitizer that sees only half of them would report a race that is none. */
static void close_quietly(int fd)
{
    (void)syscall(SYS_close, fd);
}

static void append(const char *path, const char *line, int len)
{
    int log = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (log < 0 || syscall(SYS_write, log, line, (size_t)len) != len)
        fprintf(stderr, "preload_tty: cannot write %s\n", path);
    if (log >= 0)
        close_quietly(log);
}

static bool send_quietly(int fd, const char *text, int n)
{
    return fd >= 0 && syscall(SYS_sendto, fd, text, (size_t)n, MSG_NOSIGNAL, NULL, 0) == n;
}

static int connect_lines(const char *path)
{
    static const int types[] = {SOCK_SEQPACKET, SOCK_STREAM};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path)
        return -1;
    strcpy(a.sun_path, path);
    for (int i = 0; i < 2; i++) {
        int fd = (int)syscall(SYS_socket, AF_UNIX, types[i] | SOCK_CLOEXEC, 0);
        if (fd >= 0 && syscall(SYS_connect, fd, &a, sizeof a) == 0)
            return fd;
        if (fd >= 0)
            close_quietly(fd);
    }
    return -1;
}

static void set_modem_locked(struct port *p, int modem)
{
    char text[5] = "", line[128];
    int changed = p->modem ^ modem, n = 0;
    p->modem = modem;
    if (changed & TIOCM_DTR)
        n += sprintf(text + n, "D%d", !!(modem & TIOCM_DTR));
    if (changed & TIOCM_RTS)
        n += sprintf(text + n, "R%d", !!(modem & TIOCM_RTS));
    if (!n)
        return;
    if (p->socket < 0)
        p->socket = connect_lines(p->lines);
    if (!send_quietly(p->socket, text, n) && p->socket >= 0) {
        close_quietly(p->socket); /* the simulator was started anew, perhaps: once more */
        p->socket = connect_lines(p->lines);
        (void)send_quietly(p->socket, text, n);
    }
    if (!log_path[0])
        return;
    int len = snprintf(line, sizeof line, "%s %s\n", p->device + strlen("/dev/"), text);
    append(log_path, line, len);
}

static int opened(const char *device, int fd)
{
    struct port *p = by_name(device);
    if (!p || fd < 0 || fd >= FDS)
        return fd;
    pthread_mutex_lock(&lock);
    of_fd[fd] = p;
    if (p->opens++ == 0)
        set_modem_locked(p, p->modem | TIOCM_DTR | TIOCM_RTS);
    pthread_mutex_unlock(&lock);
    return fd;
}

static int modem_ioctl(struct port *p, unsigned long request, int *arg)
{
    int bits = p->modem;
    switch (request) {
    case TIOCMGET:
        *arg = bits | TIOCM_CTS | TIOCM_DSR;
        return 0;
    case TIOCMSET:
        bits = *arg & (TIOCM_DTR | TIOCM_RTS);
        break;
    case TIOCMBIS:
        bits |= *arg & (TIOCM_DTR | TIOCM_RTS);
        break;
    default:
        bits &= ~*arg;
        break;
    }
    set_modem_locked(p, bits);
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    REAL(int, ioctl, int, unsigned long, ...)
    va_list ap;
    va_start(ap, request);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    struct port *p = by_fd(fd);
    if (!p || strcmp(p->lines, "none") == 0)
        return found(fd, request, arg);
    int ret = 0;
    pthread_mutex_lock(&lock);
    switch (request) {
    case TIOCMGET:
    case TIOCMSET:
    case TIOCMBIS:
    case TIOCMBIC:
        ret = modem_ioctl(p, request, arg);
        break;
    case TIOCGSERIAL:
        memset(arg, 0, sizeof(struct serial_struct));
        ((struct serial_struct *)arg)->type = PORT_16550A;
        ((struct serial_struct *)arg)->flags = p->serial_flags;
        break;
    case TIOCSSERIAL:
        p->serial_flags = ((struct serial_struct *)arg)->flags;
        break;
    default:
        pthread_mutex_unlock(&lock);
        return found(fd, request, arg);
    }
    pthread_mutex_unlock(&lock);
    return ret;
}

int close(int fd)
{
    REAL(int, close, int)
    struct port *p = by_fd(fd);
    if (p) {
        struct termios t;
        pthread_mutex_lock(&lock);
        of_fd[fd] = NULL;
        if (--p->opens == 0 && tcgetattr(fd, &t) == 0 && t.c_cflag & HUPCL)
            set_modem_locked(p, p->modem & ~(TIOCM_DTR | TIOCM_RTS));
        pthread_mutex_unlock(&lock);
    }
    return found(fd);
}

/* ---- paths ------------------------------------------------------------------------------------- */

#define MODE(flags, last)                                                                          \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list ap;                                                                                \
        va_start(ap, last);                                                                        \
        mode = va_arg(ap, mode_t);                                                                 \
        va_end(ap);                                                                                \
    }

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        REAL(int, name, const char *, int, ...)                                                    \
        char room[PATH_MAX];                                                                       \
        MODE(flags, flags)                                                                         \
        return opened(path, found(place(path, room), flags, mode));                                \
    }
OPEN(open)
OPEN(open64)

#define OPEN_2(name)                                                                               \
    int name(const char *path, int flags);                                                         \
    int name(const char *path, int flags)                                                          \
    {                                                                                              \
        REAL(int, name, const char *, int)                                                         \
        char room[PATH_MAX];                                                                       \
        return opened(path, found(place(path, room), flags));                                      \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)

#define OPENAT(name)                                                                               \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        REAL(int, name, int, const char *, int, ...)                                               \
        char room[PATH_MAX];                                                                       \
        MODE(flags, flags)                                                                         \
        return opened(path, found(at, place(path, room), flags, mode));                            \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                                \
    FILE *name(const char *path, const char *mode)                                                 \
    {                                                                                              \
        REAL(FILE *, name, const char *, const char *)                                             \
        char room[PATH_MAX];                                                                       \
        return found(place(path, room), mode);                                                     \
    }
FOPEN(fopen)
FOPEN(fopen64)

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    REAL(int, inotify_add_watch, int, const char *, uint32_t)
    const char *dev = getenv("FL_TTY_DEV");
    return found(fd, dev && strcmp(path, "/dev") == 0 ? dev : path, mask);
}

DIR *opendir(const char *path)
{
    REAL(DIR *, opendir, const char *)
    char room[PATH_MAX];
    DIR *d = found(place(path, room));
    int e = errno, len = looks_path[0] ? snprintf(room, sizeof room, "%.2000s\n", path) : 0;
    if (len)
        append(looks_path, room, len);
    errno = e;
    return d;
}

ssize_t readlink(const char *path, char *out, size_t n)
{
    REAL(ssize_t, readlink, const char *, char *, size_t)
    char room[PATH_MAX];
    if (by_name(path)) { /* a device is no link, whatever it is here */
        errno = EINVAL;
        return -1;
    }
    return found(place(path, room), out, n);
}

ssize_t __readlink_chk(const char *path, char *out, size_t n, size_t cap);
ssize_t __readlink_chk(const char *path, char *out, size_t n, size_t cap)
{
    return readlink(path, out, n < cap ? n : cap);
}

char *realpath(const char *path, char *out)
{
    REAL(char *, realpath, const char *, char *)
    char room[PATH_MAX];
    struct port *p = by_name(path);
    if (!p)
        return found(place(path, room), out);
    if (access(p->path, F_OK) != 0)
        return NULL;
    return out ? strcpy(out, path) : strdup(path);
}

char *__realpath_chk(const char *path, char *out, size_t cap);
char *__realpath_chk(const char *path, char *out, size_t cap)
{
    (void)cap;
    return realpath(path, out);
}

int faccessat(int at, const char *path, int mode, int flags)
{
    REAL(int, faccessat, int, const char *, int, int)
    char room[PATH_MAX];
    return found(at, place(path, room), mode, flags);
}

/* A device is no link here either: of its own path, lstat tells what stat does. */
#define STAT(name, follow, type)                                                                   \
    int name(const char *path, struct type *st)                                                    \
    {                                                                                              \
        REAL(int, name, const char *, struct type *)                                               \
        char room[PATH_MAX];                                                                       \
        if (by_name(path))                                                                         \
            return follow(place(path, room), st);                                                  \
        return found(place(path, room), st);                                                       \
    }
static int real_stat(const char *path, struct stat *st)
{
    return fstatat(AT_FDCWD, path, st, 0);
}
static int real_stat64(const char *path, struct stat64 *st)
{
    return fstatat64(AT_FDCWD, path, st, 0);
}
STAT(stat, real_stat, stat)
STAT(lstat, real_stat, stat)
STAT(stat64, real_stat64, stat64)
STAT(lstat64, real_stat64, stat64)

/* What programs built against older C libraries call (libserialport is one). */
#define XSTAT(name, follow, type)                                                                  \
    int name(int version, const char *path, struct type *st);                                      \
    int name(int version, const char *path, struct type *st)                                       \
    {                                                                                              \
        REAL(int, name, int, const char *, struct type *)                                          \
        char room[PATH_MAX];                                                                       \
        if (by_name(path))                                                                         \
            return follow(place(path, room), st);                                                  \
        return found(version, place(path, room), st);                                              \
    }
XSTAT(__xstat, real_stat, stat)
XSTAT(__lxstat, real_stat, stat)
XSTAT(__xstat64, real_stat64, stat64)
XSTAT(__lxstat64, real_stat64, stat64)
