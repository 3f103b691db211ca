/* SPDX-License-Identifier: Apache-2.0
 *
 * board_rom.c: the functions of the ESP32-C3's boot ROM that the stub calls, each at its address (ESP-IDF
 * publishes them in esp32c3.rom.ld and its companions). Arguments arrive in a0..a7, the result leaves in a0.
 */
#include "outside/rv32/board.h"

#include <string.h>

enum {
    XTAL_HZ = 40000000,
    CHIP_POINTER = 0x3FCDFFF0, /* the ROM's variable rom_spiflash_legacy_data ... */
    CHIP = 0x3FCDFF00,         /* ... and where we let it point: id, size, block, sector, page, mask */
    UART_DEVICE = 0x3FCDFE00,  /* the ROM's record of its console; byte 24: which (0: UART 0) */
};
enum { SPI_OK = 0, SPI_ERR = 1 };

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}
static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The stub's memory, or the end of the board. */
static uint8_t *memory(struct board *b, uint32_t addr, uint32_t n)
{
    uint8_t *p = rv32_memory(&b->cpu, addr, n);
    if (p == NULL && n > 0)
        board_break(b, "a ROM function was given memory that is not there:", addr);
    return p != NULL ? p : b->nowhere;
}
#define RETURN_IF_BROKEN(b) \
    do { \
        if ((b)->broken[0] != '\0') \
            return 0; \
    } while (0)

/* ---- memory, time, UART -------------------------------------------------------------------------------- */

static uint32_t rom_nothing(struct board *b, const uint32_t *a)
{
    (void)b, (void)a;
    return 0;
}
static uint32_t rom_memset(struct board *b, const uint32_t *a)
{
    uint8_t *p = memory(b, a[0], a[2]);
    RETURN_IF_BROKEN(b);
    memset(p, (int)(a[1] & 0xFF), a[2]);
    return a[0];
}
static uint32_t rom_memmove(struct board *b, const uint32_t *a)
{
    uint8_t *to = memory(b, a[0], a[2]);
    const uint8_t *from = memory(b, a[1], a[2]);
    RETURN_IF_BROKEN(b);
    memmove(to, from, a[2]);
    return a[0];
}
static uint32_t rom_send(struct board *b, const uint32_t *a)
{
    b->send(b->send_ctx, (uint8_t)a[0]);
    return 0;
}
static uint32_t rom_divider(struct board *b, const uint32_t *a)
{
    b->divider = a[1];
    return 0;
}
static uint32_t rom_xtal(struct board *b, const uint32_t *a)
{
    (void)b, (void)a;
    return XTAL_HZ;
}
static uint32_t rom_uart_device(struct board *b, const uint32_t *a)
{
    (void)b, (void)a;
    return UART_DEVICE;
}
static uint32_t rom_isr_attach(struct board *b, const uint32_t *a)
{
    b->handler = a[1];
    b->handler_arg = a[2];
    return 0;
}
static uint32_t rom_isr_unmask(struct board *b, const uint32_t *a)
{
    b->unmasked = a[0] != 0;
    return 0;
}

/* ---- flash ------------------------------------------------------------------------------------------------ */

static uint32_t rom_flash_update_id(struct board *b, const uint32_t *a)
{
    (void)a;
    put32(memory(b, CHIP_POINTER, 4), CHIP);
    /* the ROM keeps the three bytes turned round: capacity lowest */
    put32(memory(b, CHIP, 4), (FLASH_ID & 0xFF) << 16 | (FLASH_ID & 0xFF00) | FLASH_ID >> 16);
    return 0;
}
static uint32_t rom_flash_config(struct board *b, const uint32_t *a)
{
    for (uint32_t i = 0; i < 6; i++)
        put32(memory(b, CHIP + 4 * i, 4), a[i]);
    return SPI_OK;
}
/* The ROM refuses what lies past the size it has been told, and what is not made of words. */
static bool refused(struct board *b, uint32_t addr, uint32_t n)
{
    uint32_t size = get32(memory(b, CHIP + 4, 4));
    return addr > size || n > size - addr || ((addr | n) & 3) != 0;
}
static uint32_t rom_flash_read(struct board *b, const uint32_t *a)
{
    uint8_t *to = memory(b, a[1], a[2]);
    RETURN_IF_BROKEN(b);
    return !refused(b, a[0], a[2]) && flash_read(b, a[0], to, a[2]) ? SPI_OK : SPI_ERR;
}
static uint32_t rom_flash_write(struct board *b, const uint32_t *a)
{
    const uint8_t *from = memory(b, a[1], a[2]);
    RETURN_IF_BROKEN(b);
    return !refused(b, a[0], a[2]) && flash_program(b, a[0], from, a[2]) ? SPI_OK : SPI_ERR;
}
static uint32_t rom_flash_erase_chip(struct board *b, const uint32_t *a)
{
    (void)a;
    return flash_erase(b, 0, FLASH_SIZE) ? SPI_OK : SPI_ERR;
}
static uint32_t rom_flash_write_enable(struct board *b, const uint32_t *a)
{
    (void)a;
    b->write_enabled = true;
    return SPI_OK;
}
static uint32_t rom_flash_encrypted(struct board *b, const uint32_t *a)
{
    board_break(b, "encrypted writing is not built; it was asked for at", a[0]);
    return SPI_ERR;
}

/* ---- MD5, inflating, security information ----------------------------------------------------------------- */

static uint32_t rom_md5_init(struct board *b, const uint32_t *a)
{
    (void)a;
    if (EVP_DigestInit_ex(b->md5, EVP_md5(), NULL) != 1)
        board_break(b, "MD5 is not to be had", 0);
    return 0;
}
static uint32_t rom_md5_update(struct board *b, const uint32_t *a)
{
    const uint8_t *p = memory(b, a[1], a[2]);
    RETURN_IF_BROKEN(b);
    if (EVP_DigestUpdate(b->md5, p, a[2]) != 1)
        board_break(b, "MD5 failed", 0);
    return 0;
}
static uint32_t rom_md5_final(struct board *b, const uint32_t *a)
{
    uint8_t *to = memory(b, a[0], 16);
    RETURN_IF_BROKEN(b);
    if (EVP_DigestFinal_ex(b->md5, to, NULL) != 1)
        board_break(b, "MD5 failed", 0);
    return 0;
}

enum { TINFL_ADLER = -2, TINFL_FAILED = -1, TINFL_DONE = 0, TINFL_NEEDS_INPUT = 1, TINFL_HAS_OUTPUT = 2 };
enum { WITH_HEADER = 1, MORE_INPUT_COMES = 2 };

/* A stream begins when the state's first word is 0. Like tinfl, the header is read, and the checksum at the
 * end compared, only in a call that says there are some. */
static int inflate_begin(struct board *b, uint8_t *state, const uint8_t **in, uint32_t *n, uint32_t flags)
{
    if (get32(state) != 0)
        return TINFL_DONE;
    if (b->inflating)
        (void)inflateEnd(&b->inflater);
    memset(&b->inflater, 0, sizeof b->inflater);
    b->inflating = inflateInit2(&b->inflater, -15) == Z_OK;
    b->inflater_sum = (uint32_t)adler32(0, NULL, 0);
    put32(state, 1);
    if ((flags & WITH_HEADER) == 0)
        return b->inflating ? TINFL_DONE : TINFL_FAILED;
    if (*n < 2 || (*in)[0] != 0x78 || (*in)[0] * 256 % 31 != (31 - (*in)[1] % 31) % 31)
        return TINFL_FAILED;
    *in += 2;
    *n -= 2;
    return b->inflating ? TINFL_DONE : TINFL_FAILED;
}

/* zlib's answer in tinfl's words. Without the promise of more input, tinfl reads zeros behind the end. */
static int inflate_some(struct board *b, uint32_t flags)
{
    uint8_t zeros[64] = {0};
    int r = inflate(&b->inflater, Z_NO_FLUSH);
    for (int i = 0; i < 1024 && (r == Z_OK || r == Z_BUF_ERROR) && b->inflater.avail_in == 0 &&
                    b->inflater.avail_out > 0 && (flags & MORE_INPUT_COMES) == 0; i++) {
        b->inflater.next_in = zeros;
        b->inflater.avail_in = sizeof zeros;
        r = inflate(&b->inflater, Z_NO_FLUSH);
        b->inflater.avail_in = 0;
    }
    if (r == Z_STREAM_END)
        return TINFL_DONE;
    if (r != Z_OK && r != Z_BUF_ERROR)
        return TINFL_FAILED;
    return b->inflater.avail_out == 0 ? TINFL_HAS_OUTPUT : TINFL_NEEDS_INPUT;
}

/* tinfl_decompress(state, in, &n_in, out_start, out, &n_out, flags) */
static uint32_t rom_inflate(struct board *b, const uint32_t *a)
{
    uint8_t *state = memory(b, a[0], 4), *n_in = memory(b, a[2], 4), *n_out = memory(b, a[5], 4);
    RETURN_IF_BROKEN(b);
    uint32_t given = get32(n_in), left = given, room = get32(n_out);
    uint8_t *p = memory(b, a[1], given), *out = memory(b, a[4], room);
    RETURN_IF_BROKEN(b);
    const uint8_t *in = p;
    int r = inflate_begin(b, state, &in, &left, a[6]);
    if (r == TINFL_DONE) {
        b->inflater.next_in = p + (in - p);
        b->inflater.avail_in = left;
        b->inflater.next_out = out;
        b->inflater.avail_out = room;
        r = inflate_some(b, a[6]);
        left = b->inflater.avail_in;
        b->inflater_sum = (uint32_t)adler32(b->inflater_sum, out, room - b->inflater.avail_out);
        room -= b->inflater.avail_out;
    }
    if (r == TINFL_DONE && (a[6] & WITH_HEADER) != 0) {
        const uint8_t *sum = p + given - left;
        if (left < 4 || ((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3]) !=
                            b->inflater_sum)
            r = TINFL_ADLER;
        left -= left < 4 ? left : 4;
    }
    put32(n_in, given - left);
    put32(n_out, room);
    return (uint32_t)r;
}

static uint32_t rom_security_info(struct board *b, const uint32_t *a)
{
    uint8_t *to = memory(b, a[2], 20);
    RETURN_IF_BROKEN(b);
    memset(to, 0, 20); /* flags, crypt count, key purposes: a factory chip */
    to[12] = 5;        /* chip id */
    to[16] = 3;        /* ECO version */
    return 0;
}

static const struct {
    uint32_t addr;
    uint32_t (*call)(struct board *b, const uint32_t *a);
} rom[] = {
    {0x40000050, rom_nothing},            /* ets_delay_us */
    {0x40000068, rom_send},               /* uart_tx_one_char */
    {0x40000080, rom_nothing},            /* uart_tx_flush */
    {0x40000084, rom_nothing},            /* uart_tx_wait_idle */
    {0x40000088, rom_divider},            /* uart_div_modify */
    {0x400000B0, rom_uart_device},        /* GetUartDevice */
    {0x400000F4, rom_inflate},            /* tinfl_decompress */
    {0x40000110, rom_flash_encrypted},    /* esp_rom_spiflash_write_encrypted */
    {0x40000120, rom_flash_erase_chip},   /* esp_rom_spiflash_erase_chip */
    {0x4000012C, rom_flash_write},        /* esp_rom_spiflash_write */
    {0x40000130, rom_flash_read},         /* esp_rom_spiflash_read */
    {0x40000134, rom_flash_config},       /* esp_rom_spiflash_config_param */
    {0x4000014C, rom_flash_update_id},    /* esp_rom_spi_flash_update_id */
    {0x40000164, rom_nothing},            /* esp_rom_spiflash_attach */
    {0x40000210, rom_flash_write_enable}, /* SPI_write_enable */
    {0x40000354, rom_memset},
    {0x40000358, rom_memmove},            /* memcpy */
    {0x4000035C, rom_memmove},
    {0x40000598, rom_xtal},               /* ets_get_xtal_freq */
    {0x400005C8, rom_nothing},            /* gpio_pad_select_gpio */
    {0x40000604, rom_isr_attach},         /* ets_isr_attach */
    {0x4000060C, rom_isr_unmask},         /* ets_isr_unmask */
    {0x40000614, rom_md5_init},
    {0x40000618, rom_md5_update},
    {0x4000061C, rom_md5_final},
    {0x4000071C, rom_nothing},            /* ets_efuse_get_spiconfig */
    {0x4004B9DA, rom_security_info},      /* GetSecurityInfoProc up to ECO 6 */
};

bool board_rom(void *board, struct rv32 *cpu)
{
    struct board *b = board;
    b->activity++;
    if (cpu->pc == ROM_START && b->in_handler) { /* the interrupt handler has returned */
        b->in_handler = false;
        cpu->stop = true;
        return true;
    }
    for (size_t i = 0; i < sizeof rom / sizeof rom[0]; i++) {
        if (rom[i].addr != cpu->pc)
            continue;
        uint32_t result = rom[i].call(b, &cpu->x[RV32_A0]);
        if (b->broken[0] == '\0') {
            cpu->x[RV32_A0] = result;
            cpu->pc = cpu->x[RV32_RA];
        }
        return true;
    }
    board_break(b, "a ROM function that is not here:", cpu->pc);
    return true;
}
