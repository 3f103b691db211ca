/* SPDX-License-Identifier: Apache-2.0
 * The stub's commands; see stub.h. */
#include "base/cursor.h"
#include "base/hash.h"
#include "sim/board_impl.h"

#include <string.h>

enum {
    OP_FLASH_BEGIN = 0x02, OP_FLASH_DATA, OP_FLASH_END, OP_MEM_BEGIN, OP_MEM_END, OP_MEM_DATA, OP_SYNC,
    OP_WRITE_REG, OP_READ_REG, OP_SET_PARAMS, OP_ATTACH = 0x0D, OP_BAUD = 0x0F, OP_DEFL_BEGIN,
    OP_DEFL_DATA, OP_DEFL_END, OP_MD5, OP_SECURITY, OP_ERASE_FLASH = 0xD0, OP_ERASE_REGION,
    OP_READ_FLASH, OP_RUN, OP_PLUGIN_FIRST = 0xD5, OP_PLUGIN_LAST = 0xEF,
};
enum {
    E_LENGTH = 0xC000, E_CHECKSUM = 0xC100, E_COMMAND = 0xC300, E_SPI = 0xC400, E_MODE = 0xC600,
    E_TOO_LITTLE = 0xC800, E_TOO_MUCH = 0xC900, E_UNKNOWN = 0xFF00,
};
enum { SUB_HEADER = 16, BAUD_SETTLE_US = 5000, READ_PACKET_MAX = 4096 };

/* What a command gives back, and what is done once the answer has left. */
struct result {
    int status; /* as on the wire, first byte high */
    uint32_t value;
    uint8_t data[20];
    size_t n;
    uint64_t ns;      /* before the answer */
    enum { AFTER_NOTHING, AFTER_WRITE, AFTER_BAUD, AFTER_JUMP, AFTER_READ } after;
};

static uint64_t reply(struct sim_board *b, uint8_t op, int status, const struct result *r)
{
    uint8_t out[8 + sizeof r->data + 2] = {1, op};
    size_t n = r ? r->n : 0;
    if (b->order.mute)
        return b->now;
    fl_put_u16le(out + 2, (uint16_t)(n + 2));
    fl_put_u32le(out + 4, r ? r->value : 0);
    memcpy(out + 8, r ? r->data : out, n);
    out[8 + n] = (uint8_t)(status >> 8);
    out[8 + n + 1] = (uint8_t)status;
    return sim_send_frame(b, sim_takes(b, b->spec.timing.stub_us) + (r ? r->ns : 0) + b->order.late,
                          out, 8 + n + 2);
}

/* ---- commands: each sets the result -------------------------------------------------------------------- */

struct request {
    uint8_t op;
    const uint8_t *data; /* whole buffer behind it: may be read beyond `n` as the stub does */
    size_t n, behind;
    uint32_t checksum;
};

static void do_sync(struct sim_board *b, const struct request *q, struct result *r)
{
    (void)r;
    for (int i = 0; i < 7; i++) /* the eighth is the ordinary answer */
        (void)reply(b, q->op, 0, NULL);
}

static void do_flash_data(struct sim_board *b, const struct request *q, struct result *r)
{
    if (q->n < SUB_HEADER)
        r->status = E_TOO_LITTLE;
    else if (!b->stub.writing)
        r->status = E_MODE;
    else if (fl_get_u32le(q->data) != q->n - SUB_HEADER)
        r->status = E_TOO_MUCH;
    else if (sim_checksum(q->data + SUB_HEADER, q->n - SUB_HEADER) != q->checksum)
        r->status = E_CHECKSUM;
    else
        r->after = AFTER_WRITE;
}

static void do_defl_data(struct sim_board *b, const struct request *q, struct result *r)
{
    if (q->n < SUB_HEADER) {
        r->status = E_LENGTH;
        return;
    }
    if (!b->stub.writing) {
        r->status = E_MODE;
        return;
    }
    uint32_t len = fl_get_u32le(q->data); /* not compared with what came: the sum runs over the buffer */
    if (len > q->behind - SUB_HEADER || sim_checksum(q->data + SUB_HEADER, len) != q->checksum)
        r->status = E_CHECKSUM;
    else
        r->after = AFTER_WRITE;
}

static void do_begin(struct sim_board *b, const struct request *q, struct result *r)
{
    r->status = sim_stub_begin(b, q->data, q->n, q->op == OP_DEFL_BEGIN, &r->ns);
}

static void do_end(struct sim_board *b, const struct request *q, struct result *r)
{
    r->status = sim_stub_end(b, q->n);
}

static void do_mem_begin(struct sim_board *b, const struct request *q, struct result *r)
{
    (void)r;
    b->stub.loading = true;
    b->stub.ram_left = fl_get_u32le(q->data);
    b->stub.ram_at = fl_get_u32le(q->data + 12);
    sim_ram_begin(&b->ram, b->stub.ram_at, b->stub.ram_left);
}

static void do_mem_data(struct sim_board *b, const struct request *q, struct result *r)
{
    struct sim_stub *s = &b->stub;
    uint32_t len = (uint32_t)(q->n - SUB_HEADER);
    if (q->n < SUB_HEADER)
        r->status = E_TOO_LITTLE;
    else if (!s->loading)
        r->status = E_MODE;
    else if (fl_get_u32le(q->data) > s->ram_left || fl_get_u32le(q->data) != len)
        r->status = E_TOO_MUCH;
    else { /* no checksum here, unlike in the ROM */
        (void)sim_do_ram(b, s->ram_at, q->data + SUB_HEADER, len);
        s->ram_at += len;
        s->ram_left -= len;
    }
}

static void do_mem_end(struct sim_board *b, const struct request *q, struct result *r)
{
    if (!b->stub.loading)
        r->status = E_MODE;
    else if (fl_get_u32le(q->data) == 0)
        r->after = AFTER_JUMP;
    b->stub.loading = false;
}

static void do_read_reg(struct sim_board *b, const struct request *q, struct result *r)
{
    r->value = sim_read_reg(b, fl_get_u32le(q->data));
}

static void do_write_reg(struct sim_board *b, const struct request *q, struct result *r)
{
    if (q->n == 0 || q->n % 16 != 0)
        r->status = E_TOO_LITTLE;
    else
        sim_do_write_regs(b, q->data, q->n, &r->ns);
}

static void do_nothing(struct sim_board *b, const struct request *q, struct result *r)
{
    (void)b, (void)q, (void)r;
}

static void do_set_params(struct sim_board *b, const struct request *q, struct result *r)
{
    (void)r;
    uint32_t told = fl_get_u32le(q->data + 4); /* more than any chip has would only keep the MD5 busy */
    b->stub.flash_size = told < SIM_FLASH_MAX ? told : SIM_FLASH_MAX;
}

static bool beyond(const struct sim_board *b, uint32_t at, uint32_t n)
{
    return (uint64_t)at + n > b->stub.flash_size;
}

static void do_baud(struct sim_board *b, const struct request *q, struct result *r)
{
    (void)b, (void)q;
    r->after = AFTER_BAUD;
}

static void do_md5(struct sim_board *b, const struct request *q, struct result *r)
{
    uint32_t n = fl_get_u32le(q->data + 4);
    r->n = 16;
    r->ns = sim_takes(b, b->spec.timing.md5_stub_us_per_kb * (n / 1024.0));
    b->flash_ns += r->ns;
    if (beyond(b, fl_get_u32le(q->data), n) ||
        sim_flash_md5(&b->flash, fl_get_u32le(q->data), n, r->data))
        r->status = E_SPI;
}

static void do_security(struct sim_board *b, const struct request *q, struct result *r)
{
    (void)q;
    r->n = sim_security_info(b, r->data);
    if (r->n == 0)
        r->status = E_UNKNOWN;
}

static void do_erase_flash(struct sim_board *b, const struct request *q, struct result *r)
{
    (void)q;
    if (!sim_do_erase(b, 0, b->spec.flash.size, &r->ns))
        r->status = E_SPI;
}

static void do_erase_region(struct sim_board *b, const struct request *q, struct result *r)
{
    uint32_t at = fl_get_u32le(q->data), n = fl_get_u32le(q->data + 4);
    if (at % SIM_SECTOR || n % SIM_SECTOR)
        r->status = E_LENGTH;
    else if (!sim_do_erase(b, at, n, &r->ns))
        r->status = E_SPI;
}

static void do_read_flash(struct sim_board *b, const struct request *q, struct result *r)
{
    (void)b, (void)q;
    r->after = AFTER_READ;
}

/* len: -1 is for the command itself to judge, -2 is BEGIN's 16 or 20 (also judged there). */
static const struct {
    uint8_t op;
    int len;
    void (*run)(struct sim_board *b, const struct request *q, struct result *r);
} commands[] = {
    {OP_FLASH_BEGIN, -1, do_begin},       {OP_FLASH_DATA, -1, do_flash_data},
    {OP_FLASH_END, -1, do_end},           {OP_MEM_BEGIN, 16, do_mem_begin},
    {OP_MEM_END, 8, do_mem_end},          {OP_MEM_DATA, -1, do_mem_data},
    {OP_SYNC, 36, do_sync},               {OP_WRITE_REG, -1, do_write_reg},
    {OP_READ_REG, 4, do_read_reg},        {OP_SET_PARAMS, 24, do_set_params},
    {OP_ATTACH, 4, do_nothing},           {OP_BAUD, 8, do_baud},
    {OP_DEFL_BEGIN, -1, do_begin},        {OP_DEFL_DATA, -1, do_defl_data},
    {OP_DEFL_END, -1, do_end},            {OP_MD5, 16, do_md5},
    {OP_SECURITY, 0, do_security},        {OP_ERASE_FLASH, -1, do_erase_flash},
    {OP_ERASE_REGION, 8, do_erase_region}, {OP_READ_FLASH, 16, do_read_flash},
};

static void run(struct sim_board *b, const struct request *q, struct result *r)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (commands[i].op == q->op) {
            if (commands[i].len >= 0 && q->n != (size_t)commands[i].len)
                r->status = E_LENGTH;
            else
                commands[i].run(b, q, r);
            return;
        }
    r->status = q->op >= OP_PLUGIN_FIRST && q->op <= OP_PLUGIN_LAST ? E_UNKNOWN : E_COMMAND;
}

/* ---- READ_FLASH: packets, each acknowledged, then the MD5 of all ------------------------------------------ */

uint64_t sim_stub_read_next(struct sim_board *b)
{
    struct sim_stub *s = &b->stub;
    uint8_t packet[READ_PACKET_MAX], md5[FL_MD5_SIZE];
    if (s->read_left > 0 && !s->ack_due) {
        uint32_t n = s->read_left < s->read_packet ? s->read_left : s->read_packet;
        sim_flash_read(&b->flash, s->read_at, packet, n);
        fl_hash_add(s->md5, packet, n);
        (void)sim_send_frame(b, 0, packet, n);
        s->read_at += n;
        s->read_left -= n;
        s->ack_due = true;
    }
    if (s->read_left == 0 && s->acked >= s->read_total) {
        s->reading = false;
        if (fl_hash_end(s->md5, md5) == FL_OK)
            (void)sim_send_frame(b, 0, md5, sizeof md5);
    }
    return 0;
}

static int start_reading(struct sim_board *b, const uint8_t *data)
{
    struct sim_stub *s = &b->stub;
    s->read_at = fl_get_u32le(data);
    s->read_left = s->read_total = fl_get_u32le(data + 4);
    s->read_packet = fl_get_u32le(data + 8);
    s->acked = 0;
    s->ack_due = false;
    struct fl_hash *fresh = NULL;
    if (s->read_packet > READ_PACKET_MAX || s->read_packet == 0)
        return E_LENGTH;
    if (beyond(b, s->read_at, s->read_total) || fl_hash_new(FL_HASH_MD5, &fresh) != FL_OK)
        return E_SPI;
    fl_hash_free(s->md5);
    s->md5 = fresh;
    s->reading = true;
    (void)sim_stub_read_next(b);
    return 0;
}

/* ---- one frame --------------------------------------------------------------------------------------------- */

static void jump(struct sim_board *b, uint32_t entry, uint64_t at)
{
    if (sim_ram_program(&b->ram, b->stubs, b->spec.chip, b->spec.revision, entry) == SIM_PROGRAM_NONE)
        b->mode = SIM_STOPPED;
    else
        sim_stub_start(b, at);
}

/* The ESP8266's stub reckons from the divider of 115200 whatever the speed is now (reference 3.10). */
static void change_baud(struct sim_board *b, uint32_t baud, uint64_t at)
{
    if (b->spec.chip->mac_layout == SIM_MAC_8266)
        baud = (uint32_t)((uint64_t)baud * b->chip_baud / 115200);
    if (baud > 0)
        sim_switch_baud(b, baud, at + sim_takes(b, BAUD_SETTLE_US));
}

static uint64_t execute(struct sim_board *b, const struct request *q)
{
    struct sim_stub *s = &b->stub;
    struct result r = {0};
    run(b, q, &r);
    if (b->mode != SIM_STUB)
        return 0;
    if (r.status)
        r.n = 0, r.value = 0, r.after = AFTER_NOTHING;
    uint64_t end = reply(b, q->op, r.status, &r), ns = r.ns + b->order.late;
    switch (r.after) {
    case AFTER_WRITE:
        s->owed.data = q->data;
        s->owed.n = q->n;
        s->owed.compressed = q->op == OP_DEFL_DATA;
        break;
    case AFTER_BAUD: change_baud(b, fl_get_u32le(q->data), end); break;
    case AFTER_JUMP: jump(b, fl_get_u32le(q->data + 4), end); break;
    case AFTER_READ: s->deferred = start_reading(b, q->data); break;
    case AFTER_NOTHING: break;
    }
    return ns;
}

uint64_t sim_stub_handle(struct sim_board *b, const uint8_t *f, size_t n)
{
    struct sim_stub *s = &b->stub;
    struct request q = {.op = f[1], .data = f + 8, .behind = SIM_STUB_FRAME - 8};
    int code = 0;
    q.n = fl_get_u16le(f + 2);
    q.checksum = fl_get_u32le(f + 4);
    b->order = (struct sim_order){0};
    if (f[0] != 0) {
        (void)reply(b, q.op, E_COMMAND, NULL);
        return 0;
    }
    if (n != q.n + 8) {
        (void)reply(b, q.op, E_LENGTH, NULL);
        return 0;
    }
    if (s->deferred) {
        (void)reply(b, q.op, s->deferred, NULL);
        s->deferred = 0;
        return 0;
    }
    if (q.op == OP_RUN)
        return 0; /* this stub does nothing here and says nothing */
    switch (sim_command(b, q.op, &code)) {
    case SIM_GO: return execute(b, &q);
    case SIM_GO_NAK: (void)reply(b, q.op, code < 0 ? E_SPI : code, NULL); break;
    case SIM_GO_NOWHERE: break;
    }
    return 0;
}
