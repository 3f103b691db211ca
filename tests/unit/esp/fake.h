/* SPDX-License-Identifier: Apache-2.0
 *
 * fake.h: one board at the far end of a memory link, for tests of the engine.
 *
 * Its answers are those that were seen on real ROM and stub code (or that the facts sheet states), and a test
 * bends them with rules: "the 3rd MEM_DATA is refused with 01070000". It knows nothing of station/.
 * It keeps what was written in an array, so that a test can look at the flash itself.
 */
#ifndef FL_TESTS_FAKE_H
#define FL_TESTS_FAKE_H

#include "unit/t.h"

#include "base/hash.h"
#include "esp/session.h"
#include "link/link_internal.h"
#include "link/mem.h"

#include <zlib.h>

enum { FAKE_FLASH = 8 << 20, FAKE_RULES = 24, FAKE_RUNGS = 200 };

enum fake_do {
    DO_REFUSE,  /* do not carry it out; status bytes from `hex` */
    DO_SILENT,  /* do not carry it out; say nothing */
    DO_LOSE,    /* carry it out; say nothing */
    DO_RAW,     /* do not carry it out; these bytes as they are */
    DO_RAW_THEN, /* these bytes, then carry it out and answer */
    DO_RESTART, /* the chip restarts; these bytes as text */
    DO_GONE,    /* the port goes away */
    DO_HANG,    /* nothing more until the next reset */
    DO_INVERT,  /* carry it out and answer; then a stray C0 turns its framing inside out */
    DO_DEAF,    /* nothing more until SYNC */
    DO_VALUE,   /* carry it out, but answer with this value field */
};
enum { IN_ROM = 1, IN_STUB = 2, ANYWHERE = 3 };

struct fake_rule {
    uint8_t op;
    unsigned first, last; /* which ones of this opcode, counted from 1; last 0: all from `first` on */
    unsigned where;
    enum fake_do what;
    const char *hex;
};

struct fake_reg {
    uint32_t addr, value;
};

struct fake {
    struct link *link;
    const char *stub_name; /* what must arrive in RAM before it greets */
    bool has_info, rom_status_2;
    uint8_t info[20];
    size_t info_n;
    struct fake_reg regs[40];
    size_t n_regs;
    const char *boot_text, *app_text;
    const char *chatter; /* said before every answer */
    bool twice;          /* every answer comes twice */
    bool no_reset;   /* the lines do not reach the chip */
    bool no_flash;
    bool dead;       /* nothing answers, nothing is said */
    bool no_sync;    /* hears nothing, but prints */
    uint32_t max_baud; /* above: garbage; 0: any */
    unsigned wrong_resets; /* the first ones end in the application, whatever the strap says */
    bool slow_stub;    /* the stub comes up at 115200 whatever the ROM was put to */

    struct fake_rule rules[FAKE_RULES];
    unsigned seen[256];

    /* the bridge */
    size_t lose_after; /* from each write that is longer, one byte behind this many is lost */
    uint64_t damage_at; /* this byte of the host's stream is changed ... */
    uint8_t damage_xor; /* ... by this; 0: it is lost */
    bool damage_on;
    uint64_t reply_damage_at;
    uint8_t reply_damage_xor;
    bool reply_damage_on;
    uint64_t host_bytes, reply_bytes;
    uint64_t noise;          /* a seed: bits change at random ... */
    uint32_t noise_one_in;   /* ... of answers, in one byte of so many; 0: none */
    uint32_t host_noise_one_in; /* ... of requests */

    /* the chip */
    bool in_loader, stub, in_reset;
    enum link_wire dtr, rts;
    uint32_t host_baud, chip_baud;
    bool inside, escape; /* the receiver */
    bool deaf;           /* to all but SYNC */
    size_t n;
    uint8_t frame[0x9000];
    uint8_t last_op, deferred;
    uint8_t ram[2][20000];
    struct stub expected;
    uint32_t mem_addr, mem_left, mem_seq, mem_block;
    uint32_t at, left, size, seq, block; /* flash write */
    bool flash_mode, deflating;
    z_stream z;
    uint8_t *flash;
    uint32_t flash_size_told, spi_usr2;
    uint8_t status_reg;
    bool write_fails, ignores_writes; /* C4 next; bytes go nowhere */
    unsigned stray_begin; /* this BEGIN, counted from 1, ... */
    uint32_t stray_to;    /* ... arrives with this offset */
    unsigned begins;
    uint32_t jedec;      /* 0: 4 MB */
    uint32_t bad_sector; /* this address never holds what is written; 0: none */
    unsigned erases, resets, power_cycles;
    bool encrypts;      /* the last BEGIN asked for it: what is written is not what was sent */
    uint32_t begun, begun_block; /* size and block size it told */

    /* what the engine told */
    struct esp_rung rungs[FAKE_RUNGS];
    size_t n_rungs;
    struct fl_buf text;
    uint64_t progress_last, progress_total;
    struct fl_buf steps;
};

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
        if (memcmp(f->ram[i], f->expected.segments[i].bytes, f->expected.segments[i].n) != 0)
            return false;
    return true;
}

static inline void fake_ram_store(struct fake *f, uint32_t addr, const uint8_t *p, size_t n)
{
    for (int i = 0; i < 2; i++) {
        uint32_t base = f->expected.segments[i].addr;
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
    fake_set_reg(f, addr, value);
    if (addr == 0x3ff42024 || addr == 0x60002020)
        f->spi_usr2 = value;
    if (addr == 0x3ff42000 || addr == 0x60002000) { /* CMD: runs at once */
        fake_set_reg(f, addr, 0);
        if ((f->spi_usr2 & 0xff) == 0x01)
            f->status_reg = 0, f->ignores_writes = false;
        fake_set_reg(f, addr == 0x3ff42000 ? 0x3ff42080 : 0x60002058, fake_spi(f));
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
        if (n == 8 && fl_get_u32le(d + 4) == f->expected.entry && fake_ram_ok(f)) {
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

static inline const struct fake_rule *fake_rule_for(struct fake *f, uint8_t op)
{
    unsigned nth = ++f->seen[op];
    for (size_t i = 0; i < FAKE_RULES; i++) {
        const struct fake_rule *r = &f->rules[i];
        if (r->where && r->op == op && nth >= r->first && (r->last == 0 || nth <= r->last) &&
            (r->where & (f->stub ? IN_STUB : IN_ROM)))
            return r;
    }
    return NULL;
}

static inline void fake_request(struct fake *f, struct fl_buf *reply)
{
    if (f->n < 8) {
        if (f->stub && f->n > 0)
            fake_answer(f, reply, 0, 0, NULL, 0, 0xc0, 0);
        return;
    }
    uint8_t op = f->frame[1], raw[512];
    size_t n = f->n - 8;
    uint32_t sum = fl_get_u32le(f->frame + 4);
    if (f->frame[0] != 0 || fl_get_u16le(f->frame + 2) != n) {
        bool data = op == OP_MEM_DATA || op == OP_FLASH_DATA || op == OP_DEFL_DATA;
        if (f->stub) {
            fake_answer(f, reply, op, 0, NULL, 0, f->frame[0] ? 0xc3 : 0xc0, 0);
            return;
        }
        if (!data || f->frame[0] != 0) {
            fake_unsupported(f, op, reply);
            return;
        }
    }
    f->deaf = f->deaf && op != OP_SYNC;
    if (f->deaf)
        return;
    const struct fake_rule *r = fake_rule_for(f, op);
    if (r && r->what == DO_DEAF) {
        f->deaf = true;
        return;
    }
    if (f->chatter)
        fake_raw(f, reply, (const uint8_t *)f->chatter, strlen(f->chatter));
    if (r && r->what == DO_SILENT)
        return;
    if (r && r->what == DO_REFUSE) {
        size_t len = fake_unhex(r->hex, raw, sizeof raw);
        if (len >= 2 && raw[0] == 1 && raw[1] == 7) { /* the ROM uses the number up */
            f->mem_seq += op == OP_MEM_DATA;
            f->seq += op == OP_FLASH_DATA;
        }
        fake_answer(f, reply, op, 0, NULL, 0, raw[0], raw[1]);
        return;
    }
    if (r && (r->what == DO_RAW || r->what == DO_RAW_THEN)) {
        size_t len = fake_unhex(r->hex, raw, sizeof raw);
        fake_raw(f, reply, raw, len);
        if (r->what == DO_RAW)
            return;
    }
    if (r && r->what == DO_RESTART) {
        fake_boot(f, false, NULL);
        f->in_loader = false;
        fake_raw(f, reply, (const uint8_t *)r->hex, strlen(r->hex));
        return;
    }
    if (r && r->what == DO_HANG) {
        f->in_loader = false;
        return;
    }
    if (r && r->what == DO_GONE) {
        link_mem_hang_up(f->link);
        return;
    }
    if (r && r->what == DO_VALUE) {
        (void)fake_unhex(r->hex, raw, sizeof raw);
        fake_answer(f, reply, op, fl_get_u32le(raw), NULL, 0, 0, 0);
        return;
    }
    size_t before = reply->len;
    fake_execute(f, op, sum, f->frame + 8, n, reply);
    if (f->twice && reply->len > before) {
        size_t len = reply->len - before;
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, reply->bytes + before, len);
        fl_buf_add(reply, copy, len);
        free(copy);
    }
    f->last_op = op;
    if (r && r->what == DO_LOSE)
        reply->len = before;
    if (r && r->what == DO_INVERT)
        f->inside = true;
}

/* The stub takes C0 as a toggle; the ROM opens again on a C0 that closes nothing. */
static inline void fake_byte(struct fake *f, uint8_t b, struct fl_buf *reply)
{
    if (b == 0xc0) {
        if (f->inside && (f->n > 0 || f->stub)) {
            f->inside = false;
            fake_request(f, reply);
        } else {
            f->inside = true;
        }
        f->n = 0;
        f->escape = false;
        return;
    }
    if (!f->inside)
        return;
    if (f->escape) {
        f->escape = false;
        if (b != 0xdc && b != 0xdd) {
            f->inside = false;
            return;
        }
        b = b == 0xdc ? 0xc0 : 0xdb;
    } else if (b == 0xdb) {
        f->escape = true;
        return;
    }
    if (f->n < sizeof f->frame)
        f->frame[f->n++] = b;
}

static inline void fake_write(void *ctx, const uint8_t *p, size_t n, struct fl_buf *reply)
{
    struct fake *f = ctx;
    for (size_t i = 0; i < n; i++, f->host_bytes++) {
        uint8_t b = p[i];
        if (f->lose_after && i > 0 && i % f->lose_after == 0)
            continue;
        if (f->damage_on && f->host_bytes == f->damage_at) {
            if (f->damage_xor == 0)
                continue;
            b ^= f->damage_xor;
        }
        b ^= fake_noise(f, f->host_noise_one_in);
        if (f->chip_baud == 0)
            f->chip_baud = f->host_baud;
        bool deaf = f->dead || f->no_sync || !f->in_loader || f->host_baud != f->chip_baud ||
                    (f->max_baud && f->host_baud > f->max_baud);
        if (!deaf)
            fake_byte(f, b, reply);
    }
}

/* ---- the engine's side ---------------------------------------------------------------------------- */

static inline void fake_on_rung(void *ctx, const struct esp_rung *r)
{
    struct fake *f = ctx;
    if (f->n_rungs < FAKE_RUNGS)
        f->rungs[f->n_rungs++] = *r;
}

static inline void fake_on_text(void *ctx, const uint8_t *p, size_t n)
{
    struct fake *f = ctx;
    fl_buf_add(&f->text, p, n);
}

static inline void fake_on_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct fake *f = ctx;
    f->progress_last = done;
    f->progress_total = total;
}

static inline void fake_on_step(void *ctx, const char *step)
{
    struct fake *f = ctx;
    fl_buf_addf(&f->steps, "%s ", step);
}

static inline unsigned fake_count(const struct fake *f, enum esp_rung_kind k)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->n_rungs; i++)
        n += f->rungs[i].kind == k;
    return n;
}

/* Limits short enough for a test of silences; everything the fake answers it answers at once. */
static inline struct esp_times fake_times(void)
{
    struct esp_times t = esp_times_default;
    t.command = 60;
    t.sync = t.sync_rest = 10;
    t.greeting = t.early_greeting = 40;
    t.quick_probe = 10;
    t.mem_end = 20;
    t.probe = 30;
    t.grace = 8;
    t.quiet = 3;
    t.settle = t.stub_gap = t.flash_wake = 1;
    t.watchdog = 1;
    t.md5_mb = t.erase_mb = t.work_mb = t.chip_erase_mb = 10;
    return t;
}

#define FAKE_RESET "D0|R1|W0.001|D1|R0|W0.001|D0"

static inline void fake_esp32(struct fake *f)
{
    static const struct fake_reg regs[] = {
        {0x40001000, 0x00f01d83}, {0x3ff5a004, 0x28aabbcc}, {0x3ff5a008, 0x00ee246f},
        {0x3ff5a00c, 1u << 15},   {0x3ff5a014, 1u << 20 | 1u << 24}, {0x3ff6607c, 1u << 31},
        {0x3ff40014, 347},
    };
    f->stub_name = "esp32";
    memcpy(f->regs, regs, sizeof regs);
    f->n_regs = T_COUNT(regs);
    f->boot_text = "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 "
                   "(DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n";
    f->app_text = "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 "
                  "(SPI_FAST_FLASH_BOOT)\r\nHello\r\n";
}

static inline void fake_esp32c3(struct fake *f)
{
    static const struct fake_reg regs[] = {
        {0x40001000, 0x1b31506f}, {0x60008844, 0x33445566}, {0x60008848, 0x00001122},
        {0x60008850, 3u << 18},
    };
    /* as a C3 was seen to answer: chip id 5, version 3 */
    static const uint8_t info[20] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0};
    f->stub_name = "esp32c3";
    memcpy(f->regs, regs, sizeof regs);
    f->n_regs = T_COUNT(regs);
    memcpy(f->info, info, sizeof info);
    f->info_n = sizeof info;
    f->boot_text = "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:0x1 (POWERON),boot:0x5 "
                   "(DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n";
    f->app_text = "ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:0xd (SPI_FAST_FLASH_BOOT)\r\n";
}

/* A board whose application runs, behind a link with lines and speed. */
static inline struct fake *fake_new(void (*chip)(struct fake *))
{
    struct fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->flash = malloc(FAKE_FLASH);
    assert_non_null(f->flash);
    memset(f->flash, 0xff, FAKE_FLASH);
    f->host_baud = f->chip_baud = 115200;
    f->flash_size_told = 2 << 20; /* what ROM and stub assume */
    f->text = FL_BUF(1 << 20);
    f->steps = FL_BUF(4096);
    chip(f);
    struct fl_why why;
    if (stub_load(f->stub_name, &f->expected, &why))
        fail_msg("%s", why.text);
    struct link_mem_peer peer = {f, fake_write, fake_lines, fake_baud};
    assert_int_equal(link_mem_open(&peer, NULL, &f->link), FL_OK);
    return f;
}

static inline void fake_free(struct fake *f)
{
    link_close(f->link);
    stub_fini(&f->expected);
    (void)inflateEnd(&f->z);
    fl_buf_fini(&f->text);
    fl_buf_fini(&f->steps);
    free(f->flash);
    free(f);
}

static inline void fake_rule_add(struct fake *f, uint8_t op, unsigned first, unsigned last,
                                 unsigned where, enum fake_do what, const char *hex)
{
    for (size_t i = 0; i < FAKE_RULES; i++)
        if (!f->rules[i].where) {
            f->rules[i] = (struct fake_rule){op, first, last, where, what, hex};
            return;
        }
    fail_msg("too many rules");
}

static inline struct esp *fake_session(struct fake *f, const struct esp_config *config,
                                       struct esp_tuning *tuning)
{
    struct esp_config c = config ? *config : (struct esp_config){0};
    struct esp_observer o = {f, fake_on_step, fake_on_rung, fake_on_progress, fake_on_text};
    struct esp *e = NULL;
    if (!c.reset)
        c.reset = FAKE_RESET;
    assert_int_equal(esp_open(f->link, &c, tuning, &o, &e), FL_OK);
    e->times = fake_times();
    return e;
}

/* A region of made-up content; the caller frees with fake_region_fini. `entropy` 0: very compressible. */
static inline struct esp_region fake_region(uint32_t offset, uint32_t size, unsigned entropy, bool deflate_it)
{
    uint8_t *plain = malloc(size);
    assert_non_null(plain);
    uint32_t x = 0x9e3779b9u ^ offset ^ size;
    for (uint32_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        plain[i] = entropy ? (uint8_t)(x >> 24 & entropy) : (uint8_t)(i >> 10);
    }
    struct esp_region r = {.offset = offset, .size = size, .plain = plain};
    assert_int_equal(fl_md5(plain, size, r.md5), FL_OK);
    if (deflate_it) {
        uLongf n = compressBound(size);
        uint8_t *z = malloc(n);
        assert_non_null(z);
        assert_int_equal(compress2(z, &n, plain, size, 9), Z_OK);
        r.deflated = z;
        r.deflated_size = n;
    }
    return r;
}

static inline void fake_region_fini(struct esp_region *r)
{
    free((void *)(uintptr_t)r->plain);
    free((void *)(uintptr_t)r->deflated);
}

/* The whole conversation up to an attached flash; the first error, or FL_OK. */
static inline enum fl_err fake_up(struct esp *e, struct esp_problem *p)
{
    struct esp_unit unit;
    struct esp_flash_info flash;
    enum fl_err err = esp_connect(e, p);
    if (!err)
        err = esp_identify(e, &unit, p);
    if (!err)
        err = esp_prepare(e, p);
    if (!err)
        err = esp_attach_flash(e, 0, &flash, p);
    return err;
}

#endif
