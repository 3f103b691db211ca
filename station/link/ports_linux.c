/* SPDX-License-Identifier: Apache-2.0
 *
 * Where Linux keeps what is known of a port:
 *
 *   /sys/class/tty/ttyUSB3          -> ../../devices/.../1-1.4.1/1-1.4.1:1.0/ttyUSB3/tty/ttyUSB3
 *   /sys/class/tty/ttyACM0          -> ../../devices/.../1-1.4.1/1-1.4.1:1.0/tty/ttyACM0
 *   /sys/class/tty/X/device         not there: no port but a console, a pseudo-terminal's master and the like
 *   /sys/class/tty/ttyS0/type       0: one of the places that the kernel keeps for serial chips, and none is in it
 *   /sys/class/tty/X/device/driver  -> .../drivers/cp210x
 *   /sys/class/tty/X/device/latency_timer   milliseconds, where the driver has one (ftdi_sio)
 *   /sys/bus/usb/devices/1-1.4.1/idVendor, idProduct, serial, product    four hex digits, and a line of text
 *   /sys/bus/usb/devices/1-1.4.1/speed      Mbit/s: 1.5, 12, 480, 5000
 *   /sys/bus/usb/devices/1-1.4/maxchild     how many sockets it has, where it is a hub; 0 for all else
 *   /sys/bus/usb/devices/1-1.4.1/   the device; 1-1.4.1:1.0/ in it the interface, with ttyUSB3/ or tty/ttyACM0/
 *   /proc/PID/fd/N                  -> /dev/ttyUSB3 of each process that holds it
 *   /proc/locks                     who holds a flock on which inode, whoever owns the process
 *
 * "1-1.4.1" is bus 1, root port 1, then ports 4 and 1 of the hubs; ":1.0" is configuration 1,
 * interface 0. ports_plain.c stands in elsewhere. */
#ifdef __linux__
#include "link/ports_internal.h"

#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* An FT4232 and a CP2108 have four. */
enum { PORTS_A_DEVICE = 8 };

struct found {
    char interface[LINK_TEXT_MAX]; /* "1-1.4.1:1.0" */
    char tty[LINK_TEXT_MAX];       /* "ttyUSB3" */
};

/* The name of the tty under an interface's folder: ttyUSB3/ itself, or what is in tty/. */
static bool tty_in(const char *folder, char tty[static LINK_TEXT_MAX])
{
    char sub[512];
    bool is_tty_folder = strcmp(folder + strlen(folder) - 4, "/tty") == 0, found = false;
    DIR *d = opendir(folder);
    if (!d)
        return false;
    for (const struct dirent *e; !found && (e = readdir(d));) {
        if (e->d_name[0] == '.' || strncmp(e->d_name, "tty", 3) != 0)
            continue;
        if (e->d_name[3] || is_tty_folder) {
            found = snprintf(tty, LINK_TEXT_MAX, "%s", e->d_name) < LINK_TEXT_MAX;
        } else if (snprintf(sub, sizeof sub, "%s/tty", folder) < (int)sizeof sub) {
            found = tty_in(sub, tty);
        }
    }
    (void)closedir(d);
    return found;
}

/* All ttys of the device at a place, in the order of its interfaces. False: no device there. */
static bool ttys_at(const char *place, struct found *out, size_t *n)
{
    char folder[512];
    size_t len = strlen(place);
    *n = 0;
    (void)snprintf(folder, sizeof folder, "/sys/bus/usb/devices/%s", place);
    DIR *d = opendir(folder);
    if (!d)
        return false;
    for (const struct dirent *e; *n < PORTS_A_DEVICE && (e = readdir(d));) {
        if (strncmp(e->d_name, place, len) != 0 || e->d_name[len] != ':')
            continue;
        struct found f;
        if (snprintf(f.interface, sizeof f.interface, "%s", e->d_name) >= (int)sizeof f.interface)
            continue;
        (void)snprintf(folder, sizeof folder, "/sys/bus/usb/devices/%s/%s", place, f.interface);
        if (!tty_in(folder, f.tty))
            continue;
        size_t at = (*n)++;
        while (at > 0 && strcmp(out[at - 1].interface, f.interface) > 0) {
            out[at] = out[at - 1];
            at--;
        }
        out[at] = f;
    }
    (void)closedir(d);
    return true;
}

/* The component of a sysfs path that is an interface: "1-1.4.1:1.0". */
static bool interface_of(const char *path, char out[static LINK_TEXT_MAX])
{
    bool found = false;
    for (const char *p = path; *p;) {
        p += strspn(p, "/");
        size_t len = strcspn(p, "/"), n = strspn(p, "0123456789-.:");
        if (n == len && len && len < LINK_TEXT_MAX && isdigit((unsigned char)*p) &&
            memchr(p, '-', len) && memchr(p, ':', len) && !memchr(p, ':', strcspn(p, "-"))) {
            memcpy(out, p, len);
            out[len] = 0;
            found = true; /* the last one: the nearest to the tty */
        }
        p += len;
    }
    return found;
}

static bool read_link(const char *path, char *out, size_t cap)
{
    ssize_t n = readlink(path, out, cap - 1);
    if (n < 0 || (size_t)n >= cap - 1)
        return false;
    out[n] = 0;
    return true;
}

/* The number in a small file of sysfs; 0: none. */
static unsigned number_in(const char *path)
{
    unsigned v = 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%u", &v) != 1)
        v = 0;
    (void)fclose(f);
    return v;
}

/* The line in a small file of sysfs; "": none. */
static void line_in(const char *place, const char *file, char *out, size_t cap)
{
    char path[LINK_TEXT_MAX + 48], line[256] = "";
    (void)snprintf(path, sizeof path, "/sys/bus/usb/devices/%s/%s", place, file);
    FILE *f = fopen(path, "re");
    if (f && !fgets(line, sizeof line, f))
        line[0] = 0;
    if (f)
        (void)fclose(f);
    line[strcspn(line, "\n")] = 0;
    link_port_text(out, cap, line);
}

/* Of the device at a place: what libserialport told of one that has its node in /dev. */
static void identify(const char *place, struct link_info *info)
{
    char vid[8], pid[8];
    line_in(place, "idVendor", vid, sizeof vid);
    line_in(place, "idProduct", pid, sizeof pid);
    info->usb_vid = (uint16_t)strtoul(vid, NULL, 16);
    info->usb_pid = (uint16_t)strtoul(pid, NULL, 16);
    line_in(place, "serial", info->usb_serial, sizeof info->usb_serial);
    line_in(place, "product", info->product, sizeof info->product);
}

static bool is_port(const char *name)
{
    char path[LINK_URL_MAX + 64], type[4] = "";
    struct stat st;
    (void)snprintf(path, sizeof path, "/sys/class/tty/%s/device", name);
    if (lstat(path, &st) != 0)
        return false;
    (void)snprintf(path, sizeof path, "/sys/class/tty/%s/type", name);
    FILE *f = fopen(path, "re");
    if (f && !fgets(type, sizeof type, f))
        type[0] = 0;
    if (f)
        (void)fclose(f);
    return strcmp(type, "0\n") != 0;
}

/* Not sp_list_ports: from 0.1.2 on that fails as a whole where one port has no node in /dev, as in a container that was
 * given one port of many, and for a moment after a plug was pulled. */
enum fl_err link_port_devices(struct link_info **out, size_t *n, struct fl_why *why)
{
    struct fl_names names;
    *out = NULL;
    *n = 0;
    enum fl_err err = fl_dir_names("/sys/class/tty", "", &names, why);
    if (err)
        return err;
    struct link_info *ports = names.n ? calloc(names.n, sizeof *ports) : NULL;
    if (names.n && !ports)
        err = fl_fail(why, FL_NOMEM, "no memory for %zu ports", names.n);
    for (size_t i = 0; ports && i < names.n; i++)
        if (is_port(names.name[i]) && snprintf(ports[*n].device, sizeof ports[*n].device, "/dev/%s", names.name[i]) < LINK_URL_MAX)
            (*n)++;
    fl_names_free(&names);
    if (*n)
        *out = ports;
    else
        free(ports);
    return err;
}

void link_port_locate(const char *device, struct link_info *info)
{
    char path[LINK_URL_MAX + 64], target[1024], interface[LINK_TEXT_MAX];
    const char *name = strrchr(device, '/');
    if (!name)
        return;
    (void)snprintf(path, sizeof path, "/sys/class/tty%s/device/driver", name);
    if (read_link(path, target, sizeof target)) {
        const char *driver = strrchr(target, '/');
        (void)snprintf(info->driver, sizeof info->driver, "%.63s", driver ? driver + 1 : target);
    }
    (void)snprintf(path, sizeof path, "/sys/class/tty%s/device/latency_timer", name);
    info->latency_ms = number_in(path);
    (void)snprintf(path, sizeof path, "/sys/class/tty%s", name);
    if (!read_link(path, target, sizeof target) || !interface_of(target, interface))
        return;
    struct found found[PORTS_A_DEVICE];
    size_t n = 0, place = strcspn(interface, ":");
    (void)snprintf(info->usb_path, sizeof info->usb_path, "%s", interface);
    info->usb_path[place] = 0;
    (void)snprintf(path, sizeof path, "/sys/bus/usb/devices/%s/speed", info->usb_path);
    info->usb_mbps = number_in(path);
    if (!info->usb_vid)
        identify(info->usb_path, info);
    if (ttys_at(info->usb_path, found, &n) && n > 1)
        (void)snprintf(info->usb_path, sizeof info->usb_path, "%s", interface);
}

static enum fl_err several(const char *place, const struct found *found, size_t n, struct fl_why *why)
{
    char list[256] = "";
    for (size_t i = 0, len = 0; i < n && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%susb:%s (%s)", i ? ", " : "",
                                found[i].interface, found[i].tty);
    return fl_fail(why, FL_FORMAT, "%zu ports sit at usb:%s; say which: %s", n, place, list);
}

enum fl_err link_port_at(const char *usb_path, char device[static LINK_URL_MAX], struct fl_why *why)
{
    struct found found[PORTS_A_DEVICE];
    char place[LINK_TEXT_MAX];
    size_t n = 0, pick = 0;
    (void)snprintf(place, sizeof place, "%.*s", (int)strcspn(usb_path, ":"), usb_path);
    bool one = strchr(usb_path, ':') != NULL;
    if (!ttys_at(place, found, &n))
        return fl_fail(why, FL_NOT_FOUND, "nothing is plugged in at usb:%s", place);
    while (one && pick < n && strcmp(found[pick].interface, usb_path) != 0)
        pick++;
    if (pick == n)
        return fl_fail(why, FL_NOT_FOUND,
                       "what is plugged in at usb:%s has no serial port (is its driver loaded?)", usb_path);
    if (!one && n > 1)
        return several(place, found, n, why);
    (void)snprintf(device, LINK_URL_MAX, "/dev/%s", found[pick].tty);
    return FL_OK;
}

/* ---- hubs -------------------------------------------------------------------------------------- */

struct places {
    link_place *list;
    size_t n;
};

/* Depth: USB allows five hubs in a row below the root. The root hub of bus 1 is "1" here, usb1 in sysfs, and its sockets
 * are 1-1, 1-2, ... */
static enum fl_err hub_places(const char *hub, unsigned depth, struct places *p)
{
    char path[LINK_TEXT_MAX + 48];
    bool root = !strchr(hub, '-');
    (void)snprintf(path, sizeof path, "/sys/bus/usb/devices/%s%s/maxchild", root ? "usb" : "", hub);
    unsigned sockets = number_in(path);
    if (!sockets || depth > 6)
        return FL_NOT_FOUND;
    for (unsigned i = 1; i <= sockets; i++) {
        link_place place;
        if (snprintf(place, sizeof place, "%s%c%u", hub, root ? '-' : '.', i) >= (int)sizeof place || p->n == LINK_HUB_MAX)
            return FL_LIMIT;
        enum fl_err err = hub_places(place, depth + 1, p);
        if (err == FL_NOT_FOUND) {
            memcpy(p->list[p->n++], place, sizeof place);
            err = FL_OK;
        }
        if (err)
            return err;
    }
    return FL_OK;
}

enum fl_err link_hub_places(const char *usb_path, link_place **out, size_t *n, struct fl_why *why)
{
    struct places p = {calloc(LINK_HUB_MAX, sizeof(link_place)), 0};
    *out = NULL;
    *n = 0;
    if (!p.list)
        return fl_fail(why, FL_NOMEM, "out of memory");
    bool place = *usb_path && strspn(usb_path, "0123456789.-") == strlen(usb_path);
    enum fl_err err = place ? hub_places(usb_path, 0, &p) : FL_NOT_FOUND;
    if (err) {
        free(p.list);
        return err == FL_LIMIT ? fl_fail(why, err, "the hub at usb:%s has more than %d sockets", usb_path, LINK_HUB_MAX)
                               : fl_fail(why, err, "there is no hub at usb:%s now", usb_path);
    }
    *out = p.list;
    *n = p.n;
    return FL_OK;
}

/* ---- who holds a port -------------------------------------------------------------------------- */

static void name_holder(struct link_port_state *s, long pid)
{
    char path[64], comm[32] = "";
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    FILE *f = fopen(path, "re");
    if (f) {
        if (!fgets(comm, sizeof comm, f))
            comm[0] = 0;
        (void)fclose(f);
    }
    comm[strcspn(comm, "\n")] = 0;
    s->use = LINK_PORT_BUSY;
    (void)snprintf(s->who, sizeof s->who, "%ld%s%s", pid, comm[0] ? " " : "", comm);
}

struct wanted {
    const struct stat *st; /* n of each */
    struct link_port_state *states;
    size_t n;
};

static void look_at_process(long pid, const struct wanted *w)
{
    char folder[64], path[384], target[256];
    struct stat st;
    (void)snprintf(folder, sizeof folder, "/proc/%ld/fd", pid);
    DIR *d = opendir(folder);
    if (!d)
        return; /* another user's, or gone by now */
    for (const struct dirent *e; (e = readdir(d));) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (!read_link(path, target, sizeof target) || strncmp(target, "/dev/", 5) != 0 ||
            stat(path, &st) != 0 || !S_ISCHR(st.st_mode))
            continue;
        for (size_t i = 0; i < w->n; i++)
            if (w->states[i].use == LINK_PORT_FREE && w->st[i].st_rdev == st.st_rdev)
                name_holder(&w->states[i], pid);
    }
    (void)closedir(d);
}

/* "1: FLOCK  ADVISORY  WRITE 1234 00:05:678 0 EOF": device in hexadecimal, inode in decimal */
static void look_at_locks(const struct wanted *w)
{
    char line[256], kind[16];
    long pid;
    unsigned major_, minor_;
    unsigned long inode;
    FILE *f = fopen("/proc/locks", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%*s %15s %*s %*s %ld %x:%x:%lu", kind, &pid, &major_, &minor_, &inode) != 5 ||
            strcmp(kind, "FLOCK") != 0 || pid == (long)getpid())
            continue;
        for (size_t i = 0; i < w->n; i++)
            if (w->states[i].use == LINK_PORT_FREE && w->st[i].st_ino == inode &&
                major(w->st[i].st_dev) == major_ && minor(w->st[i].st_dev) == minor_)
                name_holder(&w->states[i], pid);
    }
    if (f)
        (void)fclose(f);
}

void link_ports_use(const struct link_info *ports, size_t n, struct link_port_state *states)
{
    struct stat *st = n ? calloc(n, sizeof *st) : NULL;
    memset(states, 0, n * sizeof *states);
    if (!st)
        return; /* all unknown */
    for (size_t i = 0; i < n; i++) {
        if (stat(ports[i].device, &st[i]) != 0)
            continue;
        bool may = link_port_permitted(ports[i].device, states[i].who);
        states[i].use = may ? LINK_PORT_FREE : LINK_PORT_DENIED;
    }
    const struct wanted w = {st, states, n};
    look_at_locks(&w); /* first: of several that hold it, the one with the lock keeps others out */
    DIR *d = opendir("/proc");
    for (const struct dirent *e; d && (e = readdir(d));) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 0 && pid != (long)getpid())
            look_at_process(pid, &w);
    }
    if (d)
        (void)closedir(d);
    free(st);
}
#else
typedef int fl_ports_linux_is_not_built_here;
#endif
