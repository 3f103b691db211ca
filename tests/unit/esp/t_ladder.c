/* SPDX-License-Identifier: Apache-2.0
 * Every answer that was seen on real ROM and stub code and that the engine must act on, given by a script:
 * the engine takes the right rung, and the flash holds the right bytes or the fault has its name. */
#include "unit/esp/fake.h"

enum { N_REGIONS = 2 };

struct row {
    const char *what;
    void (*chip)(struct fake *);
    struct esp_config config;
    struct fake_rule rules[6];
    size_t lose_after;
    uint32_t max_baud;
    bool no_deflate, no_flash, slow_stub, few; /* few bytes, where writes are paced in real time */
    bool late; /* what must have been learned of it */
    enum esp_fault fault; /* NONE: must end well */
    /* rungs that must (> 0), must not (-1), or may (0) have been taken, by kind */
    int rungs[ESP_RUNG_COUNT];
};

#define SEEN(op, first, last, where, what, hex) {op, first, last, where, what, hex}
#define GOOD ESP_FAULT_NONE

static const struct row rows[] = {
    {.what = "clean", .chip = fake_esp32,
     .rungs = {[ESP_RUNG_RESYNC] = -1, [ESP_RUNG_RESEND] = -1, [ESP_RUNG_REGION] = -1,
               [ESP_RUNG_RECONNECT] = -1, [ESP_RUNG_SMALL_BLOCKS] = -1, [ESP_RUNG_ROM] = -1}},

    /* ---- the field report: 01 07 while the stub is loaded ---- */
    {.what = "MEM_DATA refused once: the next number", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_DATA, 1, 1, IN_ROM, DO_REFUSE, "01070000")},
     .rungs = {[ESP_RUNG_RESEND] = 1, [ESP_RUNG_SMALL_BLOCKS] = -1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "MEM_DATA refused three times running", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_DATA, 2, 4, IN_ROM, DO_REFUSE, "01070000")},
     .rungs = {[ESP_RUNG_RESEND] = 3, [ESP_RUNG_SMALL_BLOCKS] = -1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "MEM_DATA refused four times: smaller blocks, no reset", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_DATA, 1, 4, IN_ROM, DO_REFUSE, "01070000")},
     .rungs = {[ESP_RUNG_RESEND] = 3, [ESP_RUNG_SMALL_BLOCKS] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "a bridge that loses a byte behind each 3000 of a burst", .chip = fake_esp32, .lose_after = 3000,
     .rungs = {[ESP_RUNG_RESEND] = 1, [ESP_RUNG_SMALL_BLOCKS] = 1, [ESP_RUNG_ROM] = -1}},
    {.what = "one that loses behind each 600", .few = true, .chip = fake_esp32, .lose_after = 600,
     .rungs = {[ESP_RUNG_SMALL_BLOCKS] = 1, [ESP_RUNG_PACED] = 1, [ESP_RUNG_ROM] = -1}},
    {.what = "one that loses behind each 100: paced", .few = true, .chip = fake_esp32, .lose_after = 100,
     .rungs = {[ESP_RUNG_SMALL_BLOCKS] = 1, [ESP_RUNG_PACED] = 1, [ESP_RUNG_ROM] = -1}},
    {.what = "behind each 3000, without the stub", .chip = fake_esp32, .lose_after = 3000, .few = true,
     .config = {.stub = ESP_STUB_NEVER},
     .rungs = {[ESP_RUNG_RESEND] = 3, [ESP_RUNG_BAUD_DOWN] = -1}},
    {.what = "MEM_DATA refused for ever: ROM does the work", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_DATA, 1, 0, IN_ROM, DO_REFUSE, "01070000")},
     .rungs = {[ESP_RUNG_SMALL_BLOCKS] = 4, [ESP_RUNG_PACED] = 4, [ESP_RUNG_BAUD_DOWN] = 1, [ESP_RUNG_ROM] = 1}},
    {.what = "the same where a stub is required", .chip = fake_esp32, .config = {.stub = ESP_STUB_REQUIRED},
     .rules = {SEEN(OP_MEM_DATA, 1, 0, IN_ROM, DO_REFUSE, "01070000")},
     .fault = ESP_FAULT_RAM_CHECKSUM, .rungs = {[ESP_RUNG_ROM] = -1}},
    {.what = "MEM_DATA not answered: SYNC, and the upload from its BEGIN", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_DATA, 2, 2, IN_ROM, DO_LOSE, NULL)},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_RECONNECT] = -1, [ESP_RUNG_SMALL_BLOCKS] = -1}},
    {.what = "MEM_DATA out of sequence", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_DATA, 2, 2, IN_ROM, DO_REFUSE, "01050000")},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "MEM_BEGIN refused for ever", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_BEGIN, 1, 0, IN_ROM, DO_REFUSE, "01060000")},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_RECONNECT] = 1, [ESP_RUNG_ROM] = 1}},
    {.what = "MEM_BEGIN's address arrived damaged: the ROM dies of the first block", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_DATA, 1, 1, IN_ROM, DO_HANG, NULL)},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_RECONNECT] = 1, [ESP_RUNG_SMALL_BLOCKS] = -1, [ESP_RUNG_ROM] = -1}},
    {.what = "MEM_BEGIN refused once, as one that arrives damaged is: given again", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_BEGIN, 1, 1, IN_ROM, DO_REFUSE, "01050000")},
     .rungs = {[ESP_RUNG_RESEND] = 1, [ESP_RUNG_RESYNC] = -1, [ESP_RUNG_RECONNECT] = -1}},

    /* ---- the stub's start ---- */
    {.what = "MEM_END's answer is lost, the greeting comes", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_END, 1, 1, IN_ROM, DO_RAW_THEN, "414243")},
     .rungs = {[ESP_RUNG_RECONNECT] = -1, [ESP_RUNG_RESYNC] = -1}},
    {.what = "the greeting is lost, the stub runs", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_END, 1, 1, IN_ROM, DO_LOSE, NULL)},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "no greeting once: reset and again", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_END, 1, 1, IN_ROM, DO_SILENT, NULL)},
     .rungs = {[ESP_RUNG_RECONNECT] = 1, [ESP_RUNG_ROM] = -1}},
    {.what = "no greeting ever: ROM", .chip = fake_esp32,
     .rules = {SEEN(OP_MEM_END, 1, 0, IN_ROM, DO_SILENT, NULL)},
     .rungs = {[ESP_RUNG_RECONNECT] = 2, [ESP_RUNG_ROM] = 1}},
    {.what = "no greeting ever, a stub is required", .chip = fake_esp32, .config = {.stub = ESP_STUB_REQUIRED},
     .rules = {SEEN(OP_MEM_END, 1, 0, IN_ROM, DO_SILENT, NULL)},
     .fault = ESP_FAULT_STUB_SILENT},

    /* ---- speed ---- */
    {.what = "a speed that carries nothing: the next lower", .chip = fake_esp32, .max_baud = 460800,
     .config = {.baud = 921600, .step_down = {460800, 230400}},
     .rungs = {[ESP_RUNG_BAUD_DOWN] = 1, [ESP_RUNG_ROM] = -1}},
    {.what = "only 115200 carries", .chip = fake_esp32, .max_baud = 115200,
     .config = {.baud = 1500000, .step_down = {921600, 460800, 230400}},
     .rungs = {[ESP_RUNG_BAUD_DOWN] = 4, [ESP_RUNG_ROM] = -1}},
    {.what = "CHANGE_BAUD not answered once", .chip = fake_esp32, .config = {.baud = 921600, .step_down = {460800}},
     .rules = {SEEN(OP_CHANGE_BAUD, 1, 1, IN_ROM, DO_SILENT, NULL)},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_RECONNECT] = -1, [ESP_RUNG_BAUD_DOWN] = -1}},
    {.what = "its answer is lost: the ROM is at the new speed", .chip = fake_esp32, .config = {.baud = 921600, .step_down = {460800}},
     .rules = {SEEN(OP_CHANGE_BAUD, 1, 1, IN_ROM, DO_LOSE, NULL)},
     .rungs = {[ESP_RUNG_RECONNECT] = 1, [ESP_RUNG_BAUD_DOWN] = -1}},
    {.what = "a ROM that never changes its speed: the stub does", .chip = fake_esp32,
     .config = {.baud = 921600, .step_down = {460800}}, .late = true,
     .rules = {SEEN(OP_CHANGE_BAUD, 1, 0, IN_ROM, DO_SILENT, NULL)},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_BAUD_DOWN] = 1, [ESP_RUNG_ROM] = -1}},
    {.what = "a stub that comes up at 115200 after the ROM was faster: asked there, no rung", .chip = fake_esp32,
     .config = {.baud = 921600, .step_down = {460800}}, .slow_stub = true,
     .rungs = {[ESP_RUNG_RECONNECT] = -1, [ESP_RUNG_BAUD_DOWN] = -1, [ESP_RUNG_RESYNC] = -1}},
    {.what = "a stub that reads another word than the ROM did: ROM", .chip = fake_esp32,
     .config = {.baud = 921600, .step_down = {460800}},
     .rules = {SEEN(OP_READ_REG, 1, 0, IN_STUB, DO_VALUE, "00000000")}, .rungs = {[ESP_RUNG_ROM] = 1}},

    /* ---- the stub's answers while it writes ---- */
    {.what = "C1 on a block: sent again", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_REFUSE, "C100")},
     .rungs = {[ESP_RUNG_RESEND] = 1, [ESP_RUNG_REGION] = -1}},
    {.what = "C0, C3, C8: sent again", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 1, 1, IN_STUB, DO_REFUSE, "C000"), SEEN(OP_DEFL_DATA, 3, 3, IN_STUB, DO_REFUSE, "C300"),
               SEEN(OP_DEFL_DATA, 5, 5, IN_STUB, DO_REFUSE, "C800")},
     .rungs = {[ESP_RUNG_RESEND] = 3, [ESP_RUNG_REGION] = -1}},
    {.what = "C1 for ever on plain blocks", .chip = fake_esp32, .no_deflate = true, .few = true,
     .rules = {SEEN(OP_FLASH_DATA, 1, 0, IN_STUB, DO_REFUSE, "C100")},
     .config = {.baud = 921600, .step_down = {460800}},
     .rungs = {[ESP_RUNG_RESEND] = 9, [ESP_RUNG_SMALL_BLOCKS] = 2, [ESP_RUNG_PACED] = 1,
               [ESP_RUNG_BAUD_DOWN] = 1, [ESP_RUNG_ROM] = 1}},
    {.what = "C0 for ever on plain blocks", .chip = fake_esp32, .no_deflate = true, .few = true,
     .rules = {SEEN(OP_FLASH_DATA, 1, 0, IN_STUB, DO_REFUSE, "C000")},
     .config = {.baud = 921600, .step_down = {460800}},
     .rungs = {[ESP_RUNG_RESEND] = 9, [ESP_RUNG_PACED] = 4, [ESP_RUNG_BAUD_DOWN] = 1, [ESP_RUNG_ROM] = 1}},
    {.what = "a refusal under another opcode: the head was damaged", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_RAW, "C0 01 51 0200 00000000 FF00 C0")},
     .rungs = {[ESP_RUNG_RESEND] = 1, [ESP_RUNG_REGION] = -1}},
    {.what = "a block carried out and not answered: the region again, never the block", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_LOSE, NULL)},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RESEND] = -1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "the same with plain blocks, where END would say OK", .chip = fake_esp32, .no_deflate = true,
     .rules = {SEEN(OP_FLASH_DATA, 2, 2, IN_STUB, DO_LOSE, NULL)},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RESEND] = -1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "C7, an earlier block did not inflate: the region again", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 3, 3, IN_STUB, DO_REFUSE, "C700")},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RESEND] = -1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "C4, an earlier block did not go into flash", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 3, 3, IN_STUB, DO_REFUSE, "C400")},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RESEND] = -1}},
    {.what = "C4 for ever: ROM, which fails too", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 0, IN_STUB, DO_REFUSE, "C400"), SEEN(OP_FLASH_DATA, 1, 0, IN_ROM, DO_REFUSE, "01080000")},
     .fault = ESP_FAULT_FLASH_WRITE, .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_ROM] = 1}},
    {.what = "END refused with C0: bytes are missing", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_END, 1, 1, IN_STUB, DO_REFUSE, "C000")},
     .rungs = {[ESP_RUNG_REGION] = 1}},
    {.what = "END not answered", .chip = fake_esp32, .rules = {SEEN(OP_DEFL_END, 1, 1, IN_STUB, DO_LOSE, NULL)},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "BEGIN not answered", .chip = fake_esp32, .rules = {SEEN(OP_DEFL_BEGIN, 1, 1, IN_STUB, DO_SILENT, NULL)},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "the stub goes silent for good: reset, again", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_HANG, NULL)},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RECONNECT] = 1}},
    {.what = "a stray C0 turns the framing inside out: DB 00, no reset", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_INVERT, NULL)},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "an answer cut short: what was done is not known", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_RAW, "C0 01 11 0200 0000 C0")},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RESEND] = -1}},
    {.what = "an answer whose closing C0 is lost counts", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_END, 1, 1, IN_STUB, DO_RAW, "C0 01 12 0200 00000000 0000")},
     .rungs = {[ESP_RUNG_REGION] = -1}},
    {.what = "answers to other questions in between", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_RAW_THEN,
                    "C0 01 0a 0200 11223344 0000 C0  6a756e6b C0 01 08 0400 07122007 00000000 C0 C0 C0")},
     .rungs = {[ESP_RUNG_REGION] = -1, [ESP_RUNG_RESEND] = -1}},

    /* ---- MD5 ---- */
    {.what = "MD5 not answered", .chip = fake_esp32, .rules = {SEEN(OP_FLASH_MD5, 2, 2, IN_STUB, DO_SILENT, NULL)},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "MD5 answered without an MD5", .chip = fake_esp32,
     .rules = {SEEN(OP_FLASH_MD5, 2, 2, IN_STUB, DO_REFUSE, "0000")},
     .rungs = {[ESP_RUNG_RESYNC] = 1}},
    {.what = "one wrong MD5 answer: asked again", .chip = fake_esp32,
     .rules = {SEEN(OP_FLASH_MD5, 3, 3, IN_STUB, DO_RAW, "C0 01 13 1200 00000000 00112233445566778899aabbccddeeff 0000 C0")},
     .rungs = {[ESP_RUNG_REGION] = -1}},

    /* ---- ROM writes ---- */
    {.what = "ROM: FLASH_DATA refused with 01 07: the next number", .chip = fake_esp32, .config = {.stub = ESP_STUB_NEVER},
     .rules = {SEEN(OP_FLASH_DATA, 2, 3, IN_ROM, DO_REFUSE, "01070000")},
     .rungs = {[ESP_RUNG_RESEND] = 2, [ESP_RUNG_REGION] = -1}},
    {.what = "ROM: blocks of 0x1800 refused: 0x400", .chip = fake_esp32c3, .config = {.stub = ESP_STUB_NEVER},
     .rules = {SEEN(OP_FLASH_DATA, 1, 1, IN_ROM, DO_REFUSE, "01050000")},
     .rungs = {[ESP_RUNG_SMALL_BLOCKS] = 1, [ESP_RUNG_REGION] = -1}},
    {.what = "ROM: an answer is lost: the region again", .chip = fake_esp32, .config = {.stub = ESP_STUB_NEVER},
     .rules = {SEEN(OP_FLASH_DATA, 2, 2, IN_ROM, DO_LOSE, NULL)},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "ROM: silence to all but SYNC", .chip = fake_esp32, .config = {.stub = ESP_STUB_NEVER}, .few = true,
     .rules = {SEEN(OP_FLASH_DATA, 2, 2, IN_ROM, DO_DEAF, NULL)},
     .rungs = {[ESP_RUNG_RESEND] = 1, [ESP_RUNG_RECONNECT] = -1}},
    {.what = "ROM: silent in the middle of a region", .chip = fake_esp32, .config = {.stub = ESP_STUB_NEVER}, .few = true,
     .rules = {SEEN(OP_FLASH_DATA, 2, 2, IN_ROM, DO_HANG, NULL)},
     .rungs = {[ESP_RUNG_REGION] = 1, [ESP_RUNG_RECONNECT] = 1}},
    {.what = "ROM: 01 06, beyond the size it was told", .chip = fake_esp32, .config = {.stub = ESP_STUB_NEVER},
     .rules = {SEEN(OP_FLASH_BEGIN, 1, 0, IN_ROM, DO_REFUSE, "01060000")},
     .fault = ESP_FAULT_CHIP_REFUSED},

    /* ---- the chip restarts ---- */
    {.what = "a restart in the middle of a region", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_RESTART, "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n")},
     .rungs = {[ESP_RUNG_RECONNECT] = 1, [ESP_RUNG_REGION] = -1}},
    {.what = "brownout again and again", .chip = fake_esp32,
     .rules = {SEEN(OP_DEFL_DATA, 2, 0, IN_STUB, DO_RESTART, "\r\nBrownout detector was triggered\r\n\r\nrst:0xf (RTCWDT_BROWN_OUT_RESET),boot:0x13\r\n")},
     .fault = ESP_FAULT_BOARD_BROWNOUT, .rungs = {[ESP_RUNG_RECONNECT] = 2}},
    {.what = "the port goes away", .chip = fake_esp32, .rules = {SEEN(OP_DEFL_DATA, 2, 2, IN_STUB, DO_GONE, NULL)},
     .fault = ESP_FAULT_LINK_LOST,
     .rungs = {[ESP_RUNG_RESYNC] = -1, [ESP_RUNG_REGION] = -1, [ESP_RUNG_RECONNECT] = -1}},

    /* ---- identification ---- */
    {.what = "SECURITY_INFO not answered", .chip = fake_esp32, .rules = {SEEN(OP_SECURITY_INFO, 1, 1, IN_ROM, DO_SILENT, NULL)},
     .rungs = {[ESP_RUNG_RESYNC] = 1}},
    {.what = "SECURITY_INFO never answered: reset, then the magic word", .chip = fake_esp32,
     .rules = {SEEN(OP_SECURITY_INFO, 1, 0, IN_ROM, DO_SILENT, NULL)},
     .rungs = {[ESP_RUNG_RESYNC] = 1, [ESP_RUNG_RECONNECT] = 1}},
    {.what = "inflating fails each time: what was sent can be inflated, so it did not arrive; at last it is sent plain", .chip = fake_esp32,
     .config = {.stub = ESP_STUB_REQUIRED}, .rules = {SEEN(OP_DEFL_DATA, 2, 0, IN_STUB, DO_REFUSE, "C700")},
     .rungs = {[ESP_RUNG_REGION] = 1}},
    {.what = "a register that reads wrong once", .chip = fake_esp32,
     .rules = {SEEN(OP_READ_REG, 5, 5, IN_ROM, DO_VALUE, "deadbeef")}, .rungs = {[ESP_RUNG_RECONNECT] = -1}},
    {.what = "an id that no chip has", .chip = fake_esp32c3,
     .rules = {SEEN(OP_SECURITY_INFO, 1, 0, IN_ROM, DO_RAW,
                    "C0 01 14 1800 00000000 00000000 00 00000000000000 63000000 03000000 00000000 C0")},
     .fault = ESP_FAULT_CHIP_UNKNOWN},
    {.what = "another chip than configured", .chip = fake_esp32c3, .config = {.chip = "esp32"}, .fault = ESP_FAULT_CHIP_WRONG},
    {.what = "a ROM that cannot read its flash, whatever is tried", .chip = fake_esp32, .few = true, .config = {.stub = ESP_STUB_NEVER},
     .rules = {SEEN(OP_FLASH_MD5, 1, 0, IN_ROM, DO_REFUSE, "01090000")}, .fault = ESP_FAULT_FLASH_WRITE},
    {.what = "the same on a line that damages: what the ROM was told of its flash need not have arrived", .chip = fake_esp32,
     .few = true, .config = {.stub = ESP_STUB_NEVER},
     .rules = {SEEN(OP_READ_REG, 3, 5, IN_ROM, DO_REFUSE, "01070000"), SEEN(OP_FLASH_MD5, 1, 0, IN_ROM, DO_REFUSE, "01090000")},
     .fault = ESP_FAULT_LINK_DAMAGED},
    {.what = "flash that is not there", .chip = fake_esp32, .no_flash = true, .fault = ESP_FAULT_FLASH_MISSING},
};

static void run(const struct row *row)
{
    struct fake *f = fake_new(row->chip);
    struct esp_tuning tuning = {0};
    struct esp *e = fake_session(f, &row->config, &tuning);
    struct esp_problem p = {0};
    memcpy(f->rules, row->rules, sizeof row->rules);
    f->lose_after = row->lose_after;
    f->max_baud = row->max_baud;
    f->no_flash = row->no_flash;
    f->slow_stub = row->slow_stub;
    struct esp_region regions[N_REGIONS] = {fake_region(0x10000, row->few ? 9000 : 150000, 0x3f, !row->no_deflate),
                                            fake_region(0x1000, 5000, 0xff, !row->no_deflate)};
    struct esp_region_result results[N_REGIONS];
    enum fl_err err = fake_up(e, &p);
    if (!err)
        err = esp_write(e, regions, N_REGIONS, true, results, &p);
    if ((err == FL_OK) != (row->fault == GOOD) || (err && p.fault != row->fault))
        fail_msg("%s: %s, %s: %s", row->what, fl_err_text(err), esp_fault_name(p.fault), p.text);
    for (size_t i = 0; i < N_REGIONS && !err; i++) {
        assert_int_equal(results[i].state, ESP_REGION_VERIFIED);
        assert_memory_equal(f->flash + regions[i].offset, regions[i].plain, regions[i].size);
    }
    /* the ROM inflates what it refuses, and falls silent behind a stream's end: it is never given one */
    if (row->config.stub == ESP_STUB_NEVER)
        assert_int_equal(f->seen[OP_DEFL_BEGIN] + f->seen[OP_DEFL_DATA], 0);
    for (int k = 0; k < ESP_RUNG_COUNT; k++) {
        unsigned n = fake_count(f, (enum esp_rung_kind)k);
        if ((row->rungs[k] > 0 && n < (unsigned)row->rungs[k]) || (row->rungs[k] < 0 && n > 0))
            fail_msg("%s: rung %s taken %u times (%s)", row->what, esp_rung_name((enum esp_rung_kind)k), n,
                     f->n_rungs ? f->rungs[f->n_rungs - 1].text : "");
    }
    assert_true(err == FL_OK || strlen(p.text) > 0);
    if (!err && !row->max_baud && row->config.baud)
        assert_int_equal(esp_baud(e), fake_count(f, ESP_RUNG_BAUD_DOWN) > row->late ? esp_baud(e) : row->config.baud);
    if (!err)
        assert_int_equal(tuning.late_speed, row->late);
    for (size_t i = 0; i < N_REGIONS; i++)
        fake_region_fini(&regions[i]);
    esp_close(e);
    fake_free(f);
}

static void all_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        uint64_t start = fl_mono_ms();
        run(&rows[i]);
        print_message("# %5llu ms  %s\n", (unsigned long long)(fl_mono_ms() - start), rows[i].what);
    }
}

/* Behind a reset in the middle of the work the flash forgets its state as before (66, 99) and is told to the loader anew. On a line
 * that damages bytes it is not asked for its id: each register is written by a request without a checksum, and a damaged one
 * can stop a ROM. */
static void flash_after_reset(void **state)
{
    enum { XMC = 2 * 6 + 2 * 5 + 2, FULL = XMC + 7 /* is it one of XMC's? */, SHORT = 5 + 2 };
    static const struct {
        const char *what;
        uint32_t jedec;
        unsigned refused, ids, regs; /* the last two: behind the reset */
    } cases[] = {
        {"a line that damages", 0, 3, 0, SHORT},
        {"one that does not", 0, 0, 2, FULL},
        {"one that damages, and a flash that may have to be woken", 0x164020, 3, 2, XMC},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        const struct esp_config config = {.stub = ESP_STUB_NEVER};
        struct fake *f = fake_new(fake_esp32);
        struct esp_tuning tuning = {0};
        struct esp *e = fake_session(f, &config, &tuning);
        struct esp_problem p = {0};
        struct esp_region r = fake_region(0x10000, 9000, 0x3f, false);
        struct esp_region_result result;
        f->jedec = cases[i].jedec;
        f->rules[0] = (struct fake_rule){OP_FLASH_DATA, cases[i].refused + 1, cases[i].refused + 1, IN_ROM, DO_HANG, NULL};
        if (cases[i].refused)
            f->rules[1] = (struct fake_rule){OP_FLASH_DATA, 1, cases[i].refused, IN_ROM, DO_REFUSE, "01070000"};
        assert_int_equal(fake_up(e, &p), FL_OK);
        unsigned regs = f->seen[OP_WRITE_REG], ids = f->spi_seen[0x9f], resets = f->spi_seen[0x99], attached = f->seen[OP_SPI_ATTACH],
                 told = f->seen[OP_SPI_SET_PARAMS];
        assert_int_equal(resets, 1);
        assert_int_equal(regs, cases[i].jedec ? XMC : FULL);
        if (esp_write(e, &r, 1, false, &result, &p))
            fail_msg("%s: %s", cases[i].what, p.text);
        unsigned times = fake_count(f, ESP_RUNG_RECONNECT);
        print_message("# %s: %u resets, %u register writes\n", cases[i].what, times, f->seen[OP_WRITE_REG] - regs);
        assert_true(times > 0);
        assert_int_equal(f->spi_seen[0x66], 1 + times);
        assert_int_equal(f->spi_seen[0x99], 1 + times);
        assert_int_equal(f->spi_seen[0x9f] - ids, cases[i].ids * times);
        assert_int_equal(f->seen[OP_WRITE_REG] - regs, cases[i].regs * times);
        assert_int_equal(f->seen[OP_SPI_ATTACH] - attached, times);
        assert_int_equal(f->seen[OP_SPI_SET_PARAMS] - told, times);
        assert_memory_equal(f->flash + r.offset, r.plain, r.size);
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flash_after_reset),
        cmocka_unit_test(all_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
