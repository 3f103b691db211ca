/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"
#include "base/hash.h"
#include "sim/board_impl.h"

#include <string.h>

enum {
    OP_FLASH_BEGIN = 0x02, OP_FLASH_DATA, OP_FLASH_END, OP_MEM_BEGIN, OP_MEM_END, OP_MEM_DATA, OP_SYNC,
    OP_WRITE_REG, OP_READ_REG, OP_SET_PARAMS, OP_ATTACH = 0x0D, OP_READ_SLOW, OP_BAUD, OP_DEFL_BEGIN,
    OP_DEFL_DATA, OP_DEFL_END, OP_MD5, OP_SECURITY,
};
enum { E_FORMAT = 0x05, E_RESULT = 0x06, SYNC_VALUE = 0x20120707, SLOW_READ = 64 };

/* len: of the payload; -1: what BEGIN has on this chip; -2: any number of WRITE_REG entries; -3: a DATA
 * packet, 16 bytes and what follows. flash: not in the ESP8266's ROM. sdm: also in secure download mode. */
struct op_row {
    uint8_t op;
    int len;
    bool flash, sdm;
};

static const struct op_row ops[] = {
    {OP_FLASH_BEGIN, -1, false, true}, {OP_FLASH_DATA, -3, false, true}, {OP_FLASH_END, 4, false, true},
    {OP_MEM_BEGIN, 16, false, false},  {OP_MEM_END, 8, false, false},    {OP_MEM_DATA, -3, false, false},
    {OP_SYNC, 36, false, true},        {OP_WRITE_REG, -2, false, false}, {OP_READ_REG, 4, false, false},
    {OP_SET_PARAMS, 24, true, true},   {OP_ATTACH, 8, true, true},       {OP_READ_SLOW, 8, true, false},
    {OP_BAUD, 8, true, true},          {OP_DEFL_BEGIN, -1, true, false}, {OP_DEFL_DATA, -3, true, false},
    {OP_DEFL_END, 4, true, false},     {OP_MD5, 16, true, false},        {OP_SECURITY, 0, true, true},
};

static const struct op_row *find_op(const struct sim_board *b, uint8_t op)
{
    const struct sim_chip *c = b->spec.chip;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i].op == op) {
            bool there = (!ops[i].flash || c->flash_cmds) && (op != OP_SECURITY || c->security_len) &&
                         (ops[i].sdm || !b->spec.security.secure_download);
            return there ? &ops[i] : NULL;
        }
    return NULL;
}

static bool length_fits(const struct sim_board *b, const struct op_row *o, size_t n)
{
    switch (o->len) {
    case -1: return n == b->spec.chip->begin_len;
    case -2: return n > 0 && n % 16 == 0;
    case -3: return n >= 16;
    default: return n == (size_t)o->len;
    }
}

/* ---- replies --------------------------------------------------------------------------------------- */

static uint64_t reply(struct sim_board *b, uint8_t op, uint32_t value, uint8_t error, const uint8_t *data,
                      size_t n, uint64_t ns)
{
    struct sim_rom *r = &b->rom;
    uint8_t out[8 + SLOW_READ + 4] = {1, op};
    size_t status = b->spec.chip->status_len;
    if (error)
        r->last_error = error;
    fl_put_u16le(out + 2, (uint16_t)(n + status));
    fl_put_u32le(out + 4, value);
    if (n >= sizeof r->left) /* the next short reply's spare status bytes are what this one leaves there */
        memcpy(r->left, data, sizeof r->left);
    if (n > 0)
        memcpy(out + 8, data, n);
    out[8 + n] = error ? 1 : 0;
    out[8 + n + 1] = r->last_error;
    if (n == 0)
        memcpy(out + 10, r->left + 2, 2);
    if (b->order.mute)
        return b->now;
    return sim_send_frame(b, sim_takes(b, b->spec.timing.rom_us) + ns + b->order.late, out,
                          8 + n + status);
}

static void refuse(struct sim_board *b, uint8_t op, uint8_t error)
{
    (void)reply(b, op, 0, error, NULL, 0, 0);
}

/* ---- commands -------------------------------------------------------------------------------------- */

static void do_sync(struct sim_board *b)
{
    b->rom.deaf = false;
    b->autobaud = false;
    for (int i = 0; i < 8; i++)
        (void)reply(b, OP_SYNC, SYNC_VALUE, 0, NULL, 0, 0);
}

static void do_md5(struct sim_board *b, const uint8_t *data)
{
    uint8_t md5[16];
    char hex[33];
    uint32_t addr = fl_get_u32le(data), n = fl_get_u32le(data + 4);
    uint64_t ns = sim_takes(b, b->spec.timing.md5_rom_us_per_kb * (n / 1024.0));
    if (n > b->spec.flash.size || sim_flash_md5(&b->flash, addr, n, md5)) {
        refuse(b, OP_MD5, E_RESULT);
        return;
    }
    b->flash_ns += ns;
    fl_hex(md5, sizeof md5, hex);
    (void)reply(b, OP_MD5, 0, 0, (const uint8_t *)hex, 32, ns);
}

/* The ESP32 divides by what it believes its crystal to be (reference 3.10); the later ones know theirs. */
static void do_baud(struct sim_board *b, const uint8_t *data)
{
    double baud = fl_get_u32le(data);
    if (b->spec.chip->mac_layout == SIM_MAC_ESP32)
        baud /= b->spec.calibration;
    uint64_t end = reply(b, OP_BAUD, 0, 0, NULL, 0, 0);
    if (baud >= 1)
        sim_switch_baud(b, (uint32_t)(baud + 0.5), end);
}

static void do_mem_end(struct sim_board *b, const uint8_t *data)
{
    uint32_t stay = fl_get_u32le(data), entry = fl_get_u32le(data + 4);
    uint64_t end = reply(b, OP_MEM_END, 0, 0, NULL, 0, 0);
    b->rom.transfer = SIM_XFER_NONE;
    if (stay)
        return;
    if (sim_ram_program(&b->ram, b->stubs, b->spec.chip, b->spec.revision, entry) == SIM_PROGRAM_NONE)
        b->mode = SIM_STOPPED;
    else
        sim_stub_start(b, end);
}

static void do_end(struct sim_board *b, uint8_t op)
{
    (void)reply(b, op, 0, 0, NULL, 0, 0);
    sim_run_flash(b); /* either flag leaves the loader; straps are not read again */
}

static void do_slow_read(struct sim_board *b, const uint8_t *data)
{
    uint8_t out[SLOW_READ] = {0};
    uint32_t n = fl_get_u32le(data + 4);
    if (n > SLOW_READ) {
        refuse(b, OP_READ_SLOW, E_FORMAT);
        return;
    }
    sim_flash_read(&b->flash, fl_get_u32le(data), out, n);
    (void)reply(b, OP_READ_SLOW, 0, 0, out, sizeof out, 0);
}

static void do_transfer(struct sim_board *b, uint8_t op, const uint8_t *data, size_t n, bool whole,
                        uint32_t checksum)
{
    uint64_t ns = 0;
    uint8_t error;
    enum sim_transfer kind = op == OP_MEM_BEGIN || op == OP_MEM_DATA       ? SIM_XFER_MEM
                             : op == OP_DEFL_BEGIN || op == OP_DEFL_DATA ? SIM_XFER_DEFL
                                                                         : SIM_XFER_FLASH;
    if (op == OP_MEM_BEGIN || op == OP_FLASH_BEGIN || op == OP_DEFL_BEGIN)
        error = sim_rom_begin(b, kind, data, &ns);
    else
        error = sim_rom_data(b, kind, data, n, whole, checksum, &ns);
    (void)reply(b, op, 0, error, NULL, 0, ns);
}

static void execute(struct sim_board *b, uint8_t op, const uint8_t *data, size_t n, bool whole,
                    uint32_t checksum)
{
    uint8_t info[20];
    uint64_t ns = 0;
    switch (op) {
    case OP_SYNC: do_sync(b); break;
    case OP_READ_REG: (void)reply(b, op, sim_read_reg(b, fl_get_u32le(data)), 0, NULL, 0, 0); break;
    case OP_WRITE_REG:
        sim_do_write_regs(b, data, n, &ns);
        (void)reply(b, op, 0, 0, NULL, 0, ns);
        break;
    case OP_SET_PARAMS:
        b->rom.flash_size = fl_get_u32le(data + 4);
        (void)reply(b, op, 0, 0, NULL, 0, 0);
        break;
    case OP_ATTACH: (void)reply(b, op, 0, 0, NULL, 0, 0); break;
    case OP_READ_SLOW: do_slow_read(b, data); break;
    case OP_BAUD: do_baud(b, data); break;
    case OP_MD5: do_md5(b, data); break;
    case OP_SECURITY: (void)reply(b, op, 0, 0, info, sim_security_info(b, info), 0); break;
    case OP_MEM_END: do_mem_end(b, data); break;
    case OP_FLASH_END:
    case OP_DEFL_END: do_end(b, op); break;
    default: do_transfer(b, op, data, n, whole, checksum); break;
    }
}

/* ---- receiver -------------------------------------------------------------------------------------- */

static bool is_sync(const uint8_t *f, size_t n)
{
    if (n != 44 || f[0] != 0 || f[1] != OP_SYNC || memcmp(f + 8, "\x07\x07\x12\x20", 4) != 0)
        return false;
    for (size_t i = 12; i < n; i++)
        if (f[i] != 0x55)
            return false;
    return true;
}

static bool well_formed(const struct sim_board *b, const uint8_t *f, size_t n)
{
    if (n < 8 || f[0] != 0 || fl_get_u16le(f + 2) != n - 8)
        return false;
    const struct op_row *o = find_op(b, f[1]);
    return o && length_fits(b, o, n - 8);
}

static void handle(struct sim_board *b, const uint8_t *f, size_t n)
{
    const struct op_row *o = find_op(b, f[1]);
    size_t said = fl_get_u16le(f + 2), came = n - 8;
    int code = 0;
    b->order = (struct sim_order){0};
    if (f[0] != 0 || !o) {
        refuse(b, b->rom.last_op, E_FORMAT);
        return;
    }
    /* cut short: what arrived decides. A DATA packet is complete enough with its sub-header. */
    size_t use = came < said ? came : said;
    if (!length_fits(b, o, use)) {
        if (came >= said)
            refuse(b, f[1], E_FORMAT);
        return;
    }
    b->rom.last_op = f[1];
    switch (sim_command(b, f[1], &code)) {
    case SIM_GO: execute(b, f[1], f + 8, use, came == said, fl_get_u32le(f + 4)); break;
    case SIM_GO_NAK: refuse(b, f[1], code < 0 ? E_RESULT : (uint8_t)code); break;
    case SIM_GO_NOWHERE: break;
    }
}

/* A C0 came after some bytes. */
static void frame_ends(struct sim_board *b)
{
    struct sim_rom *r = &b->rom;
    size_t n = r->len;
    bool doubtful = r->doubtful;
    r->len = 0;
    r->doubtful = true;
    if (r->too_long) {
        r->too_long = false;
        return;
    }
    if (r->deaf) {
        if (is_sync(r->frame, n))
            handle(b, r->frame, n);
        else
            r->doubtful = false;
        return;
    }
    if (doubtful && !well_formed(b, r->frame, n))
        r->doubtful = false; /* noise between frames: this C0 opens one */
    else if (n >= 8)
        handle(b, r->frame, n);
}

static void drop(struct sim_rom *r)
{
    r->len = 0;
    r->escape = false;
    r->doubtful = true;
}

static void collect(struct sim_rom *r, uint8_t c)
{
    if (r->len == sizeof r->frame) {
        r->deaf = r->too_long = true;
        return;
    }
    r->frame[r->len++] = c;
}

void sim_rom_receive(struct sim_board *b, const uint8_t *bytes, size_t n)
{
    struct sim_rom *r = &b->rom;
    for (size_t i = 0; i < n && b->mode == SIM_ROM; i++) {
        uint8_t c = bytes[i];
        if (c == 0xC0) {
            r->escape = false;
            if (r->len > 0)
                frame_ends(b);
            else
                r->doubtful = false;
        } else if (r->escape) {
            r->escape = false;
            if (c == 0xDC || c == 0xDD)
                collect(r, c == 0xDC ? 0xC0 : 0xDB);
            else
                drop(r);
        } else if (c == 0xDB) {
            r->escape = true;
        } else {
            collect(r, c);
        }
    }
}

void sim_rom_reset(struct sim_board *b)
{
    sim_rom_fini(b);
    memset(&b->rom, 0, sizeof b->rom);
    b->rom.deaf = true;
    b->rom.flash_size = SIM_ROM_SIZE;
    b->rom.last_op = OP_SYNC;
}
