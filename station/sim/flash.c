/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/flash.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool all_ff(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0xFF && memcmp(p, p + 1, n - 1) == 0);
}

static bool write_blank(int fd, uint32_t size)
{
    uint8_t blank[SIM_BLOCK];
    memset(blank, 0xFF, sizeof blank);
    for (uint32_t at = 0; at < size; at += (uint32_t)sizeof blank)
        if (write(fd, blank, sizeof blank) != (ssize_t)sizeof blank)
            return false;
    return true;
}

/* A state file that is not there is made whole before it gets its name: a kill leaves none or all. Not
 * synced: it need not survive the machine, only the program. */
static enum fl_err make_state(const char *path, uint32_t size, struct fl_why *why)
{
    struct fl_buf temp = FL_BUF(4096);
    fl_buf_addf(&temp, "%s.new", path);
    enum fl_err err = fl_buf_err(&temp, why);
    int fd = err ? -1 : open(fl_buf_text(&temp), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (!err && (fd < 0 || !write_blank(fd, size)))
        err = fl_fail_os(why, "%s", fl_buf_text(&temp));
    if (fd >= 0 && close(fd) != 0 && !err)
        err = fl_fail_os(why, "%s", fl_buf_text(&temp));
    if (!err && rename(fl_buf_text(&temp), path) != 0)
        err = fl_fail_os(why, "%s", path);
    fl_buf_fini(&temp);
    return err;
}

static enum fl_err load_state(struct sim_flash *f, const char *path, struct fl_why *why)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return fl_fail_os(why, "%s", path);
    if (st.st_size != (off_t)f->spec.size)
        return fl_fail(why, FL_MISMATCH, "%s holds %lld bytes, but this board's flash has %u", path,
                       (long long)st.st_size, (unsigned)f->spec.size);
    for (uint32_t i = 0; i < f->spec.size / SIM_SECTOR; i++) {
        uint8_t buf[SIM_SECTOR];
        if (pread(f->fd, buf, sizeof buf, (off_t)i * SIM_SECTOR) != SIM_SECTOR)
            return fl_fail_os(why, "cannot read %s", path);
        if (all_ff(buf, sizeof buf))
            continue;
        if (!(f->sector[i] = malloc(SIM_SECTOR)))
            return fl_fail(why, FL_NOMEM, "out of memory");
        memcpy(f->sector[i], buf, sizeof buf);
    }
    return FL_OK;
}

enum fl_err sim_flash_init(struct sim_flash *f, const struct sim_flash_spec *spec,
                           const char *state_file, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    *f = (struct sim_flash){.spec = *spec, .fd = -1};
    if (spec->size == 0 || spec->size % SIM_BLOCK != 0)
        return fl_fail(why, FL_ARG, "a flash of %u bytes", (unsigned)spec->size);
    if (spec->protect)
        f->status[0] = 0x1C; /* BP2..BP0: the whole chip */
    f->sector = calloc(spec->size / SIM_SECTOR, sizeof *f->sector);
    if (!f->sector)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (state_file) {
        if (!fl_path_exists(state_file))
            err = make_state(state_file, spec->size, why);
        if (!err) {
            f->fd = open(state_file, O_RDWR | O_CLOEXEC);
            err = f->fd < 0 ? fl_fail_os(why, "%s", state_file) : load_state(f, state_file, why);
        }
    }
    if (err)
        sim_flash_fini(f);
    return err;
}

void sim_flash_fini(struct sim_flash *f)
{
    for (uint32_t i = 0; f->sector && i < f->spec.size / SIM_SECTOR; i++)
        free(f->sector[i]);
    free(f->sector);
    f->sector = NULL;
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
}

static uint32_t wrapped(const struct sim_flash *f, uint32_t addr)
{
    return addr % f->spec.size;
}

void sim_flash_read(const struct sim_flash *f, uint32_t addr, void *out, size_t n)
{
    uint8_t *to = out;
    while (n > 0) {
        uint32_t a = wrapped(f, addr), in_sector = a % SIM_SECTOR;
        size_t now = SIM_SECTOR - in_sector < n ? SIM_SECTOR - in_sector : n;
        const uint8_t *s = f->sector[a / SIM_SECTOR];
        if (s && !f->spec.dead)
            memcpy(to, s + in_sector, now);
        else
            memset(to, 0xFF, now);
        addr += (uint32_t)now;
        to += now;
        n -= now;
    }
}

bool sim_flash_blank(const struct sim_flash *f, uint32_t addr)
{
    const uint8_t *s = f->sector[wrapped(f, addr) / SIM_SECTOR];
    return !s || f->spec.dead || all_ff(s, SIM_SECTOR);
}

static bool protected(const struct sim_flash *f)
{
    return f->spec.locked || f->spec.dead || (f->status[0] & 0x3C) != 0;
}

/* Write through to the state file; the error sticks, as the two would disagree from here on. */
static bool save(struct sim_flash *f, uint32_t a, const uint8_t *bytes, size_t n)
{
    if (f->fd >= 0 && pwrite(f->fd, bytes, n, (off_t)a) != (ssize_t)n)
        f->err = FL_IO;
    return f->err == FL_OK;
}

bool sim_flash_erase(struct sim_flash *f, uint32_t addr, uint32_t n)
{
    uint8_t blank[SIM_SECTOR];
    uint64_t from = addr / SIM_SECTOR, to = ((uint64_t)addr + n + SIM_SECTOR - 1) / SIM_SECTOR;
    if (protected(f))
        return true;
    memset(blank, 0xFF, sizeof blank);
    if (to - from > f->spec.size / SIM_SECTOR)
        to = from + f->spec.size / SIM_SECTOR;
    for (uint64_t i = from; i < to && n > 0; i++) {
        uint32_t s = (uint32_t)(i % (f->spec.size / SIM_SECTOR));
        f->sectors_erased++;
        if (!f->sector[s])
            continue;
        free(f->sector[s]);
        f->sector[s] = NULL;
        (void)save(f, s * SIM_SECTOR, blank, sizeof blank);
    }
    return f->err == FL_OK;
}

static bool is_stuck(const struct sim_flash *f, uint32_t sector)
{
    for (size_t i = 0; i < f->spec.n_stuck; i++)
        if (f->spec.stuck[i] / SIM_SECTOR == sector)
            return true;
    return false;
}

uint8_t sim_xor(const uint8_t *bytes, size_t n)
{
    uint64_t eight = 0, part;
    uint8_t sum = 0;
    for (; n >= sizeof part; n -= sizeof part, bytes += sizeof part) {
        memcpy(&part, bytes, sizeof part);
        eight ^= part;
    }
    for (; eight; eight >>= 8)
        sum ^= (uint8_t)eight;
    while (n-- > 0)
        sum ^= *bytes++;
    return sum;
}

/* Programming clears bits and sets none. */
static void clear_bits(uint8_t *to, const uint8_t *from, size_t n)
{
    uint64_t is, and;
    for (; n >= sizeof is; n -= sizeof is, to += sizeof is, from += sizeof is) {
        memcpy(&is, to, sizeof is);
        memcpy(&and, from, sizeof and);
        is &= and;
        memcpy(to, &is, sizeof is);
    }
    while (n-- > 0)
        *to++ &= *from++;
}

bool sim_flash_program(struct sim_flash *f, uint32_t addr, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;
    if (protected(f))
        return true;
    while (n > 0) {
        uint32_t a = wrapped(f, addr), in_sector = a % SIM_SECTOR, s = a / SIM_SECTOR;
        size_t now = SIM_SECTOR - in_sector < n ? SIM_SECTOR - in_sector : n;
        if (!f->sector[s] && !all_ff(from, now)) {
            if (!(f->sector[s] = malloc(SIM_SECTOR)))
                return false;
            memset(f->sector[s], 0xFF, SIM_SECTOR);
        }
        if (f->sector[s]) {
            uint8_t *to = f->sector[s] + in_sector;
            clear_bits(to, from, now);
            if (is_stuck(f, s)) /* the first byte of every write comes out with another lowest bit */
                to[0] ^= 1;
            if (!save(f, a, to, now))
                return false;
        }
        f->bytes_programmed += now;
        addr += (uint32_t)now;
        from += now;
        n -= now;
    }
    return true;
}

enum fl_err sim_flash_md5(const struct sim_flash *f, uint32_t addr, uint32_t n, uint8_t out[static 16])
{
    struct fl_hash *h;
    enum fl_err err = fl_hash_new(FL_HASH_MD5, &h);
    if (err)
        return err;
    while (n > 0) {
        uint8_t buf[SIM_SECTOR];
        uint32_t now = n < sizeof buf ? n : (uint32_t)sizeof buf;
        sim_flash_read(f, addr, buf, now);
        fl_hash_add(h, buf, now);
        addr += now;
        n -= now;
    }
    err = fl_hash_end(h, out);
    fl_hash_free(h);
    return err;
}

/* ---- SPI transactions ---------------------------------------------------------------------------- */

/* Serial flash discoverable parameters (JESD216): the header, one vendor header whose id is that of the
 * chip (clients compare it with the JEDEC id), and the word with the density. */
static uint8_t sfdp_byte(const struct sim_flash *f, uint32_t addr)
{
    static const uint8_t head[16] = {'S', 'F', 'D', 'P', 6, 1, 1, 0xFF, 0, 6, 1, 16, 0x80, 0, 0, 0xFF};
    uint32_t bits = f->spec.size * 8u - 1; /* up to 512 MB, more than any row */
    if (addr < sizeof head)
        return head[addr];
    if (addr >= 0x10 && addr < 0x18) {
        const uint8_t vendor[8] = {(uint8_t)f->spec.jedec, 0, 1, 0, 0, 1, 0, 0xFF};
        return vendor[addr - 0x10];
    }
    if (addr >= 0x84 && addr < 0x88)
        return (uint8_t)(bits >> 8 * (addr - 0x84));
    return 0xFF;
}

static void spi_read(const struct sim_flash *f, uint8_t op, uint32_t addr, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        switch (op) {
        case 0x9F: out[i] = (uint8_t)(f->spec.jedec >> 8 * (i % 3)); break;
        case 0x5A: out[i] = sfdp_byte(f, addr + (uint32_t)i); break;
        case 0x05: out[i] = (uint8_t)(f->status[0] | (f->write_enabled ? 2 : 0)); break;
        case 0x35: out[i] = f->status[1]; break;
        case 0x15: out[i] = f->status[2]; break;
        case 0x4B: out[i] = (uint8_t)(f->spec.jedec * 2654435761u >> 8 * (i % 4)); break;
        case 0xAB: out[i] = 0x15; break;
        case 0x90: out[i] = (uint8_t)(i % 2 ? 0x15 : f->spec.jedec); break;
        case 0x03: sim_flash_read(f, addr + (uint32_t)i, out + i, 1); break;
        default: out[i] = 0; break;
        }
    }
}

static void write_status(struct sim_flash *f, unsigned first, const uint8_t *in, size_t n)
{
    if (!f->write_enabled || f->spec.locked)
        return;
    for (size_t i = 0; i < n && first + i < 3; i++)
        f->status[first + i] = (uint8_t)(in[i] & (first + i == 0 ? 0xFC : 0xFF));
}

static void reset_chip(struct sim_flash *f)
{
    f->write_enabled = f->reset_enabled = false;
}

void sim_flash_spi(struct sim_flash *f, uint8_t op, uint32_t addr, const uint8_t *in, size_t n_in,
                   uint8_t *out, size_t n_out)
{
    static const struct {
        uint8_t op;
        uint32_t size; /* 0: the whole chip */
    } erases[] = {{0x20, SIM_SECTOR}, {0x52, 32768}, {0xD8, SIM_BLOCK}, {0xC7, 0}, {0x60, 0}};
    if (n_out > 0)
        memset(out, 0xFF, n_out);
    if (f->spec.dead)
        return;
    spi_read(f, op, addr, out, n_out);
    if (op == 0x06 || op == 0x50) {
        f->write_enabled = true;
        return;
    }
    if (op == 0x66) {
        f->reset_enabled = true;
        return;
    }
    if (op == 0x99 && f->reset_enabled)
        reset_chip(f);
    if (op == 0x01)
        write_status(f, 0, in, n_in);
    if (op == 0x31 || op == 0x11)
        write_status(f, op == 0x31 ? 1 : 2, in, n_in);
    if (op == 0x02 && f->write_enabled)
        (void)sim_flash_program(f, addr, in, n_in);
    for (size_t i = 0; i < sizeof erases / sizeof *erases; i++)
        if (erases[i].op == op && f->write_enabled) {
            uint32_t size = erases[i].size ? erases[i].size : f->spec.size;
            (void)sim_flash_erase(f, erases[i].size ? addr - addr % size : 0, size);
        }
    if (n_out == 0) /* whatever wrote, and 04, takes the permission back; reading a register does not */
        f->write_enabled = f->reset_enabled = false;
}
