/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_chip.h: the chip of fake.h: its registers, boot, flash, and what each command does. Only fake.h includes it.
 */
#ifndef FL_TESTS_FAKE_CHIP_H
#define FL_TESTS_FAKE_CHIP_H

#include "unit/esp/fake.h"

/* ---- bytes -------------------------------------------------------------------------------------- */

static inline size_t fake_unhex(const char *hex, uint8_t *out, size_t cap)
{
    size_t n = 0;
    for (; hex && *hex; hex++) {
        unsigned v;
        if (*hex == ' ')
            continue;
        if (sscanf(hex, "%2x", &v) != 1 || n == cap)
            fail_msg("bad hex: %s", hex);
        out[n++] = (uint8_t)v;
        hex++;
    }
    return n;
}

/* What to change in a byte. */
static inline uint8_t fake_noise(struct fake *f, uint32_t one_in)
{
    if (one_in == 0)
        return 0;
    f->noise = f->noise * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)((f->noise >> 33) % one_in == 0 ? 1u << (f->noise >> 61) : 0);
}

static inline void fake_raw(struct fake *f, struct fl_buf *reply, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++, f->reply_bytes++) {
        uint8_t b = p[i];
        if (f->reply_damage_on && f->reply_bytes == f->reply_damage_at) {
            if (f->reply_damage_xor == 0)
                continue;
            b ^= f->reply_damage_xor;
        }
        b ^= fake_noise(f, f->noise_one_in);
        fl_buf_addc(reply, (char)b);
    }
}

static inline void fake_frame(struct fake *f, struct fl_buf *reply, const uint8_t *p, size_t n)
{
    struct fl_buf out = FL_BUF(20000);
    fl_buf_addc(&out, (char)0xc0);
    for (size_t i = 0; i < n; i++) {
        if (p[i] == 0xc0 || p[i] == 0xdb) {
            fl_buf_addc(&out, (char)0xdb);
            fl_buf_addc(&out, p[i] == 0xc0 ? (char)0xdc : (char)0xdd);
        } else {
            fl_buf_addc(&out, (char)p[i]);
        }
    }
    fl_buf_addc(&out, (char)0xc0);
    fake_raw(f, reply, out.bytes, out.len);
    fl_buf_fini(&out);
}

static inline void fake_answer(struct fake *f, struct fl_buf *reply, uint8_t op, uint32_t value,
                               const void *data, size_t n, uint8_t s0, uint8_t s1)
{
    uint8_t out[128] = {0x01, op};
    size_t status = f->stub || f->rom_status_2 ? 2 : 4;
    fl_put_u16le(out + 2, (uint16_t)(n + status));
    fl_put_u32le(out + 4, value);
    if (n)
        memcpy(out + 8, data, n);
    out[8 + n] = s0;
    out[8 + n + 1] = s1;
    fake_frame(f, reply, out, 8 + n + status);
}

static inline uint32_t fake_reg(const struct fake *f, uint32_t addr)
{
    for (size_t i = 0; i < f->n_regs; i++)
        if (f->regs[i].addr == addr)
            return f->regs[i].value;
    return 0;
}

static inline void fake_set_reg(struct fake *f, uint32_t addr, uint32_t value)
{
    for (size_t i = 0; i < f->n_regs; i++)
        if (f->regs[i].addr == addr) {
            f->regs[i].value = value;
            return;
        }
    assert_true(f->n_regs < T_COUNT(f->regs));
    f->regs[f->n_regs++] = (struct fake_reg){addr, value};
}

/* ---- boot --------------------------------------------------------------------------------------- */

static inline void fake_boot(struct fake *f, bool loader, struct fl_buf *reply)
{
    f->in_loader = loader && !f->dead && f->resets >= f->wrong_resets;
    loader = loader && f->resets >= f->wrong_resets;
    f->stub = f->inside = f->escape = f->flash_mode = f->deaf = false;
    f->deferred = 0;
    f->chip_baud = 0; /* the ROM measures it */
    f->n = 0;
    f->resets++;
    memset(f->ram, 0, sizeof f->ram);
    const char *text = f->dead ? "" : loader ? f->boot_text : f->app_text;
    if (reply && text)
        fake_raw(f, reply, (const uint8_t *)text, strlen(text));
}

static inline void fake_lines(void *ctx, enum link_wire dtr, enum link_wire rts, struct fl_buf *reply)
{
    struct fake *f = ctx;
    enum link_wire was = f->rts;
    if (dtr != LINK_KEEP)
        f->dtr = dtr;
    if (rts != LINK_KEEP)
        f->rts = rts;
    if (!f->no_reset && was == LINK_ASSERT && f->rts == LINK_RELEASE)
        fake_boot(f, f->dtr == LINK_ASSERT, reply);
}

static inline void fake_baud(void *ctx, uint32_t baud)
{
    ((struct fake *)ctx)->host_baud = baud;
}

/* ---- flash -------------------------------------------------------------------------------------- */

static inline void fake_program(struct fake *f, uint32_t at, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n && at + i < FAKE_FLASH; i++)
        if (!f->ignores_writes)
            f->flash[at + i] &= f->encrypts ? p[i] ^ 0x5a : p[i];
    if (f->bad_sector && f->bad_sector >= at && f->bad_sector < at + n)
        f->flash[f->bad_sector] &= 0x7e;
}

static inline void fake_erase(struct fake *f, uint32_t at, uint32_t n)
{
    uint32_t end = (at + n + 0xfff) & ~0xfffu;
    at &= ~0xfffu;
    f->erases++;
    if (!f->ignores_writes && at < FAKE_FLASH)
        memset(f->flash + at, 0xff, (end < FAKE_FLASH ? end : FAKE_FLASH) - at);
}

/* What the stub does behind its answer. */
static inline void fake_take(struct fake *f, const uint8_t *p, size_t n)
{
    if (f->write_fails) {
        f->write_fails = false;
        f->deferred = 0xc4;
        return;
    }
    if (!f->deflating) {
        size_t take = n < f->left ? n : f->left;
        fake_program(f, f->at, p, take);
        f->at += (uint32_t)take;
        f->left -= (uint32_t)take;
        return;
    }
    uint8_t out[4096];
    f->z.next_in = (Bytef *)(uintptr_t)p;
    f->z.avail_in = (uInt)n;
    do {
        f->z.next_out = out;
        f->z.avail_out = sizeof out;
        int rc = inflate(&f->z, Z_NO_FLUSH);
        size_t got = sizeof out - f->z.avail_out, take = got < f->left ? got : f->left;
        fake_program(f, f->at, out, take);
        f->at += (uint32_t)take;
        f->left -= (uint32_t)take;
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
            f->deferred = 0xc7;
            return;
        }
        if (rc == Z_STREAM_END || rc == Z_BUF_ERROR)
            break;
    } while (f->z.avail_in > 0 || f->z.avail_out == 0);
}

/* ---- commands ----------------------------------------------------------------------------------- */

static inline bool fake_ram_ok(struct fake *f)
{
    for (int i = 0; i < 2; i++)
        if (memcmp(f->ram[i], f->expected->segments[i].bytes, f->expected->segments[i].n) != 0)
            return false;
    return true;
}

static inline void fake_ram_store(struct fake *f, uint32_t addr, const uint8_t *p, size_t n)
{
    for (int i = 0; i < 2; i++) {
        uint32_t base = f->expected->segments[i].addr;
        if (addr >= base && addr - base + n <= sizeof f->ram[i])
            memcpy(f->ram[i] + (addr - base), p, n);
    }
}

static inline uint8_t fake_sum(const uint8_t *p, size_t n)
{
    uint8_t s = 0xef;
    while (n--)
        s ^= *p++;
    return s;
}

/* 1 byte: MEM_DATA, FLASH_DATA, DEFL_DATA; gives the status as ROM or stub would. */
static inline void fake_data(struct fake *f, uint8_t op, uint32_t sum, const uint8_t *d, size_t n,
                             uint8_t *s0, uint8_t *s1)
{
    uint32_t len = n >= 16 ? fl_get_u32le(d) : 0, seq = n >= 16 ? fl_get_u32le(d + 4) : 0;
    bool bad = n < 16 || len != n - 16 || fake_sum(d + 16, n - 16) != (uint8_t)sum;
    if (f->stub) {
        if (n < 16 || len != n - 16) {
            *s0 = 0xc0;
        } else if (bad) {
            *s0 = 0xc1;
        } else if (!f->flash_mode) {
            *s0 = 0xc6;
        } else if (f->left == 0 && n > 16) {
            *s0 = 0xc9;
        }
        if (*s0 == 0)
            fake_take(f, d + 16, n - 16);
        return;
    }
    uint32_t *expected = op == OP_MEM_DATA ? &f->mem_seq : &f->seq;
    if (n < 16 || seq != *expected) {
        *s0 = 1;
        *s1 = 5;
        return;
    }
    ++*expected;
    if (bad) {
        *s0 = 1;
        *s1 = 7;
        return;
    }
    *s1 = 7; /* left over from before: means nothing */
    if (op == OP_MEM_DATA) {
        fake_ram_store(f, f->mem_addr, d + 16, n - 16);
        f->mem_addr += (uint32_t)(n - 16);
    } else if (n - 16 > 0x1800) {
        *s0 = 1;
        *s1 = 5;
    } else {
        fake_program(f, f->at, d + 16, n - 16);
        f->at += (uint32_t)(n - 16);
    }
}

static inline void fake_begin(struct fake *f, uint8_t op, const uint8_t *d, size_t n, uint8_t *s0, uint8_t *s1)
{
    f->size = f->left = f->begun = fl_get_u32le(d);
    f->begun_block = fl_get_u32le(d + 8);
    f->encrypts = n == 20 && fl_get_u32le(d + 16) == 1;
    f->block = fl_get_u32le(d + 8);
    f->at = fl_get_u32le(d + 12);
    if (f->stray_begin && ++f->begins == f->stray_begin)
        f->at = f->stray_to;
    f->seq = 0;
    if (f->at + (uint64_t)f->size > f->flash_size_told) {
        *s0 = f->stub ? 0xc4 : 1;
        *s1 = f->stub ? 0 : 6;
        return;
    }
    fake_erase(f, f->at, f->size);
    f->flash_mode = true;
    f->deflating = op == OP_DEFL_BEGIN;
    if (f->deflating) {
        (void)inflateEnd(&f->z);
        memset(&f->z, 0, sizeof f->z);
        assert_int_equal(inflateInit(&f->z), Z_OK);
    }
}

/* The flash chip behind the SPI registers: opcode in USR2. */
static inline uint32_t fake_spi(const struct fake *f)
{
    if (f->no_flash)
        return 0xffffffff;
    switch (f->spi_usr2 & 0xff) {
    case 0x9f:
        return f->jedec ? f->jedec : 0x1640c8; /* GigaDevice, 4 MB */
    case 0x05:
        return f->status_reg;
    case 0x5a:
        return 0x50444653;
    default:
        return 0;
    }
}

static inline void fake_write_reg(struct fake *f, uint32_t addr, uint32_t value)
{
    static const struct {
        uint32_t cmd, usr2, w0;
    } spi[] = {{0x3ff42000, 0x3ff42024, 0x3ff42080}, {0x60002000, 0x60002020, 0x60002058}, {0x5008d000, 0x5008d020, 0x5008d058}};
    fake_set_reg(f, addr, value);
    for (size_t i = 0; i < T_COUNT(spi); i++) {
        if (addr == spi[i].usr2)
            f->spi_usr2 = value;
        if (addr != spi[i].cmd)
            continue;
        fake_set_reg(f, addr, 0); /* CMD: runs at once */
        f->spi_seen[f->spi_usr2 & 0xff]++;
        if ((f->spi_usr2 & 0xff) == 0x01)
            f->status_reg = 0, f->ignores_writes = false;
        fake_set_reg(f, spi[i].w0, fake_spi(f));
    }
}

/* The ROM says it under the last valid opcode, and as often as that one is answered: eight times after SYNC. */
static inline void fake_unsupported(struct fake *f, uint8_t op, struct fl_buf *reply)
{
    for (int i = 0; i < (!f->stub && f->last_op == OP_SYNC ? 8 : 1); i++)
        fake_answer(f, reply, f->stub ? op : f->last_op, 0, NULL, 0, f->stub ? 0xff : 1, f->stub ? 0 : 5);
}

static inline void fake_execute(struct fake *f, uint8_t op, uint32_t sum, const uint8_t *d, size_t n,
                                struct fl_buf *reply)
{
    uint8_t s0 = 0, s1 = 0, md5[16];
    char hex[33];
    if (f->deferred && op != OP_SYNC) {
        s0 = f->deferred;
        f->deferred = 0;
        fake_answer(f, reply, op, 0, NULL, 0, s0, 0);
        return;
    }
    switch (op) {
    case OP_SYNC:
        for (int i = 0; i < 8; i++)
            fake_answer(f, reply, op, f->stub ? 0 : 0x20120707, NULL, 0, 0, 0);
        return;
    case OP_SECURITY_INFO:
        if (f->info_n == 0)
            fake_unsupported(f, op, reply);
        else
            fake_answer(f, reply, op, 0, f->info, f->info_n, 0, 0);
        return;
    case OP_READ_REG:
        fake_answer(f, reply, op, n == 4 ? fake_reg(f, fl_get_u32le(d)) : 0, NULL, 0, 0, 0);
        return;
    case OP_WRITE_REG:
        for (size_t i = 0; i + 16 <= n; i += 16) {
            uint32_t addr = fl_get_u32le(d + i), mask = fl_get_u32le(d + i + 8);
            fake_write_reg(f, addr, (fake_reg(f, addr) & ~mask) | (fl_get_u32le(d + i + 4) & mask));
        }
        break;
    case OP_MEM_BEGIN:
        f->mem_seq = 0;
        f->mem_addr = n == 16 ? fl_get_u32le(d + 12) : 0;
        break;
    case OP_MEM_END:
        fake_answer(f, reply, op, 0, NULL, 0, 0, 0);
        if (n == 8 && fl_get_u32le(d + 4) == f->expected->entry && fake_ram_ok(f)) {
            f->stub = true;
            f->inside = false;
            if (f->slow_stub && f->chip_baud != 115200) {
                f->chip_baud = 115200;
                fake_raw(f, reply, (const uint8_t *)"\x80\xfe\x06", 3);
                return;
            }
            fake_frame(f, reply, (const uint8_t *)"OHAI", 4);
        }
        return;
    case OP_MEM_DATA:
    case OP_FLASH_DATA:
    case OP_DEFL_DATA:
        fake_data(f, op, sum, d, n, &s0, &s1);
        break;
    case OP_FLASH_BEGIN:
    case OP_DEFL_BEGIN:
        if (n != 20 && n != 16)
            s0 = 0xc0;
        else
            fake_begin(f, op, d, n, &s0, &s1);
        break;
    case OP_FLASH_END:
    case OP_DEFL_END:
        if (!f->stub)
            f->in_loader = false; /* leaves the loader */
        s0 = !f->flash_mode ? 0xc6 : f->left ? 0xc0 : 0;
        if (s0 == 0)
            f->flash_mode = false;
        break;
    case OP_SPI_SET_PARAMS:
        f->flash_size_told = n == 24 ? fl_get_u32le(d + 4) : 0;
        break;
    case OP_SPI_ATTACH:
        if (n != (f->stub ? 4 : 8))
            s0 = f->stub ? 0xc0 : 1, s1 = f->stub ? 0 : 5;
        break;
    case OP_CHANGE_BAUD:
        fake_answer(f, reply, op, 0, NULL, 0, 0, 0);
        f->chip_baud = n == 8 ? fl_get_u32le(d) : 0;
        return;
    case OP_FLASH_MD5:
        if (n != 16 || fl_get_u32le(d) + (uint64_t)fl_get_u32le(d + 4) > FAKE_FLASH) {
            s0 = f->stub ? 0xc0 : 1;
            break;
        }
        assert_int_equal(fl_md5(f->flash + fl_get_u32le(d), fl_get_u32le(d + 4), md5), FL_OK);
        fl_hex(md5, 16, hex);
        fake_answer(f, reply, op, 0, f->stub ? (const void *)md5 : hex, f->stub ? 16 : 32, 0, 0);
        return;
    case OP_ERASE_FLASH:
        memset(f->flash, 0xff, FAKE_FLASH);
        break;
    default:
        fake_unsupported(f, op, reply);
        return;
    }
    fake_answer(f, reply, op, 0, NULL, 0, s0, s1);
}

#endif
