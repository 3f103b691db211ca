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
enum { E_FORMAT = 0x05, E_RESULT = 0x06, E_READ = 0x09, E_READ_LENGTH = 0x0A, SYNC_ANSWERS = 8 };

/* len: what the request must say that its payload is, -1: what BEGIN has on this chip, ANY: it is not looked at.
 * flash: not in the ESP8266's ROM. sdm: also in secure download mode. keeps: an earlier error stays in the second
 * status byte. */
enum { ANY = -2 };
struct op_row {
    uint8_t op;
    int len;
    bool flash, sdm, keeps;
};

static const struct op_row ops[] = {
    {OP_FLASH_BEGIN, -1, false, true, false}, {OP_FLASH_DATA, ANY, false, true, true},
    {OP_FLASH_END, ANY, false, true, true},   {OP_MEM_BEGIN, 16, false, false, false},
    {OP_MEM_END, ANY, false, false, true},    {OP_MEM_DATA, ANY, false, false, true},
    {OP_SYNC, ANY, false, true, false},       {OP_WRITE_REG, ANY, false, false, false},
    {OP_READ_REG, ANY, false, false, false},  {OP_SET_PARAMS, 24, true, true, false},
    {OP_ATTACH, ANY, true, true, false},      {OP_READ_SLOW, ANY, true, false, false},
    {OP_BAUD, ANY, true, true, false},        {OP_DEFL_BEGIN, -1, true, false, false},
    {OP_DEFL_DATA, ANY, true, false, true},   {OP_DEFL_END, ANY, true, false, true},
    {OP_MD5, ANY, true, false, false},        {OP_SECURITY, ANY, true, true, false},
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

static bool length_fits(const struct sim_board *b, const struct op_row *o, size_t said)
{
    return o->len == ANY || said == (o->len < 0 ? b->spec.chip->begin_len : (size_t)o->len);
}

/* ---- replies --------------------------------------------------------------------------------------- */

/* An answer with `n` bytes of data, which stand in the answer buffer already. */
static uint64_t reply_data(struct sim_board *b, uint8_t op, uint8_t error, size_t n, uint64_t ns)
{
    struct sim_rom *r = &b->rom;
    uint8_t out[8 + sizeof r->answer] = {1, op};
    const struct op_row *o = find_op(b, op);
    size_t status = b->spec.chip->status_len;
    if (error || !o || !o->keeps)
        r->last_error = error;
    r->answer[n] = error ? 1 : 0;
    r->answer[n + 1] = r->last_error;
    fl_put_u16le(out + 2, (uint16_t)(n + status));
    fl_put_u32le(out + 4, r->value);
    memcpy(out + 8, r->answer, n + status);
    if (b->order.mute)
        return b->now;
    return sim_send_frame(b, sim_takes(b, b->spec.timing.rom_us) + ns + b->order.late, out, 8 + n + status);
}

static uint64_t reply(struct sim_board *b, uint8_t op, uint8_t error, uint64_t ns)
{
    return reply_data(b, op, error, 0, ns);
}

static void not_a_command(struct sim_board *b)
{
    for (int i = b->rom.last_op == OP_SYNC ? SYNC_ANSWERS : 1; i > 0; i--)
        (void)reply(b, b->rom.last_op, E_FORMAT, 0);
}

/* ---- commands -------------------------------------------------------------------------------------- */

static void do_sync(struct sim_board *b, const uint8_t *data)
{
    b->rom.deaf = false;
    b->autobaud = false;
    b->rom.value = fl_get_u32le(data);
    for (int i = 0; i < SYNC_ANSWERS; i++)
        (void)reply(b, OP_SYNC, 0, 0);
}

static void do_read_reg(struct sim_board *b, const uint8_t *data)
{
    uint32_t addr = fl_get_u32le(data);
    if (!sim_mapped(addr)) {
        b->mode = SIM_STOPPED;
        return;
    }
    b->rom.value = sim_read_reg(b, addr);
    (void)reply(b, OP_READ_REG, 0, 0);
}

static void do_write_reg(struct sim_board *b, const uint8_t *data, size_t n)
{
    uint64_t ns = 0;
    for (size_t i = 0; i + 16 <= n; i += 16)
        if (!sim_mapped(fl_get_u32le(data + i))) {
            b->mode = SIM_STOPPED;
            return;
        }
    sim_do_write_regs(b, data, n, &ns);
    (void)reply(b, OP_WRITE_REG, 0, ns);
}

static void do_md5(struct sim_board *b, const uint8_t *data)
{
    uint8_t md5[16];
    char hex[33];
    uint32_t addr = fl_get_u32le(data), n = fl_get_u32le(data + 4);
    uint64_t ns = sim_takes(b, b->spec.timing.md5_rom_us_per_kb * (n / 1024.0));
    if ((uint64_t)addr + n > b->rom.flash_size || sim_flash_md5(&b->flash, addr, n, md5)) {
        (void)reply_data(b, OP_MD5, E_READ, 32, 0); /* with the text of the one before */
        return;
    }
    b->flash_ns += ns;
    fl_hex(md5, sizeof md5, hex);
    memcpy(b->rom.answer, hex, 32);
    (void)reply_data(b, OP_MD5, 0, 32, ns);
}

/* The ESP32 divides by what it believes its crystal to be (reference 3.10); the later ones know theirs. */
static void do_baud(struct sim_board *b, const uint8_t *data)
{
    double baud = fl_get_u32le(data);
    if (b->spec.chip->mac_layout == SIM_MAC_ESP32)
        baud /= b->spec.calibration;
    uint64_t end = reply(b, OP_BAUD, 0, 0);
    if (baud >= 1)
        sim_switch_baud(b, (uint32_t)(baud + 0.5), end);
}

static void do_mem_end(struct sim_board *b, const uint8_t *data)
{
    uint32_t stay = fl_get_u32le(data), entry = fl_get_u32le(data + 4);
    uint64_t end = reply(b, OP_MEM_END, 0, 0);
    b->rom.transfer = SIM_XFER_NONE;
    if (stay)
        return;
    if (sim_ram_program(&b->ram, b->stubs, b->spec.chip, b->spec.revision, entry) == SIM_PROGRAM_NONE)
        b->mode = SIM_STOPPED;
    else
        sim_stub_start(b, end);
}

/* FLASH_END always leaves the loader, refused or not; FLASH_DEFL_END only to restart. A restart reads the strap
 * pin again, which only the transistors can hold low. */
static void do_end(struct sim_board *b, uint8_t op, const uint8_t *data)
{
    bool deflated = op == OP_DEFL_END, stay = fl_get_u32le(data) != 0;
    (void)reply(b, op, sim_rom_end(b, deflated ? SIM_XFER_DEFL : SIM_XFER_FLASH), 0);
    if (!stay)
        sim_restart(b, SIM_CAUSE_SOFTWARE);
    else if (!deflated)
        sim_run_flash(b);
}

static void do_slow_read(struct sim_board *b, const uint8_t *data)
{
    uint32_t addr = fl_get_u32le(data), n = fl_get_u32le(data + 4);
    uint8_t error = n > SIM_ROM_DATA ? E_READ_LENGTH : (uint64_t)addr + n > b->rom.flash_size ? E_READ : 0;
    if (!error)
        sim_flash_read(&b->flash, addr, b->rom.answer, n); /* behind n: what the one before read */
    (void)reply_data(b, OP_READ_SLOW, error, SIM_ROM_DATA, 0);
}

static void do_security(struct sim_board *b)
{
    uint8_t info[20];
    size_t n = sim_security_info(b, info);
    memcpy(b->rom.answer, info, n);
    (void)reply_data(b, OP_SECURITY, 0, n, 0);
}

static void do_transfer(struct sim_board *b, uint8_t op, const uint8_t *data, uint32_t checksum)
{
    uint64_t ns = 0;
    uint8_t error;
    enum sim_transfer kind = op == OP_MEM_BEGIN || op == OP_MEM_DATA       ? SIM_XFER_MEM
                             : op == OP_DEFL_BEGIN || op == OP_DEFL_DATA ? SIM_XFER_DEFL
                                                                         : SIM_XFER_FLASH;
    if (op == OP_MEM_BEGIN || op == OP_FLASH_BEGIN || op == OP_DEFL_BEGIN)
        error = sim_rom_begin(b, kind, data, &ns);
    else
        error = sim_rom_data(b, kind, data, checksum, &ns);
    if (b->mode == SIM_ROM)
        (void)reply(b, op, error, ns);
}

/* `data` is the frame buffer behind the header, `n` how much of it came with this frame. */
static void execute(struct sim_board *b, uint8_t op, const uint8_t *data, size_t n, uint32_t checksum)
{
    switch (op) {
    case OP_SYNC: do_sync(b, data); break;
    case OP_READ_REG: do_read_reg(b, data); break;
    case OP_WRITE_REG: do_write_reg(b, data, n); break;
    case OP_SET_PARAMS:
        b->rom.flash_size = fl_get_u32le(data + 4);
        (void)reply(b, op, 0, 0);
        break;
    case OP_ATTACH: (void)reply(b, op, 0, 0); break;
    case OP_READ_SLOW: do_slow_read(b, data); break;
    case OP_BAUD: do_baud(b, data); break;
    case OP_MD5: do_md5(b, data); break;
    case OP_SECURITY: do_security(b); break;
    case OP_MEM_END: do_mem_end(b, data); break;
    case OP_FLASH_END:
    case OP_DEFL_END: do_end(b, op, data); break;
    default: do_transfer(b, op, data, checksum); break;
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

/* What lies in the buffer, `n` bytes of which have just come. */
static void handle(struct sim_board *b, size_t n)
{
    const uint8_t *f = b->rom.frame;
    const struct op_row *o = find_op(b, f[1]);
    uint8_t op = f[1];
    int code = 0;
    b->order = (struct sim_order){0};
    if (f[0] != 0 || !o) {
        not_a_command(b);
        return;
    }
    b->rom.last_op = op;
    if (!length_fits(b, o, fl_get_u16le(f + 2))) {
        (void)reply(b, op, E_FORMAT, 0);
        return;
    }
    switch (sim_command(b, op, &code)) {
    case SIM_GO: execute(b, op, f + 8, n > 8 ? n - 8 : 0, fl_get_u32le(f + 4)); break;
    case SIM_GO_NAK: (void)reply(b, op, code < 0 ? E_RESULT : (uint8_t)code, 0); break;
    case SIM_GO_NOWHERE: break;
    }
}

static void delimiter(struct sim_board *b)
{
    struct sim_rom *r = &b->rom;
    size_t n = r->len;
    bool whole = r->inside && n > 0;
    r->inside = !whole;
    r->len = 0;
    r->escape = false;
    if (whole && (!r->deaf || is_sync(r->frame, n)))
        handle(b, n);
}

static void collect(struct sim_rom *r, uint8_t c)
{
    if (r->len == sizeof r->frame) {
        r->deaf = true;
        r->inside = false;
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
            delimiter(b);
        } else if (r->inside && r->escape) {
            r->escape = false;
            collect(r, c == 0xDC ? 0xC0 : c == 0xDD ? 0xDB : c);
        } else if (r->inside && c == 0xDB) {
            r->escape = true;
        } else if (r->inside) {
            collect(r, c);
        }
    }
}

void sim_rom_reset(struct sim_board *b)
{
    struct sim_rom *r = &b->rom;
    sim_rom_fini(b);
    r->len = 0;
    r->inside = r->escape = false; /* what is in the frame buffer stays: no ROM clears it */
    r->deaf = true;
    r->last_op = OP_SYNC;
    r->last_error = 0;
    memset(r->answer, 0, sizeof r->answer);
    r->flash_size = SIM_ROM_SIZE;
    r->transfer = SIM_XFER_NONE;
}
