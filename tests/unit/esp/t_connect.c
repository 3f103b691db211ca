/* SPDX-License-Identifier: Apache-2.0
 * First contact: what is said when nobody answers, loaders that were left in odd states, links without lines,
 * and the way into the application. */
#include "unit/esp/fake.h"

#define APP "MicroPython v1.19.1 on 2022-06-18; ESP32 module with ESP32\r\nType \"help()\" for more information.\r\n>>> "

static void echo_write(void *ctx, const uint8_t *p, size_t n, struct fl_buf *reply)
{
    (void)ctx;
    fl_buf_add(reply, p, n);
}

static void silent(struct fake *f)
{
    f->dead = true;
}
static void deaf(struct fake *f)
{
    f->no_sync = true;
}
static void wrong_strap(struct fake *f)
{
    f->boot_text = f->app_text;
    f->no_sync = true;
}
/* the line that follows has lost a byte */
static void started_as_loader(struct fake *f)
{
    f->boot_text = "ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:0x2 (UART0_BOOT)\r\nwaitng for download\r\n";
    f->no_sync = true;
}
static void talks(struct fake *f)
{
    f->boot_text = f->app_text = APP;
    f->no_sync = true;
}
static void panics(struct fake *f)
{
    f->boot_text = "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nGuru Meditation Error: Core  0 panic'ed "
                   "(LoadProhibited). Exception was unhandled.\r\nRebooting...\r\n";
    f->no_sync = true;
}
static void browns_out(struct fake *f)
{
    f->boot_text = "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n\r\nBrownout detector was triggered\r\n\r\n";
    f->no_sync = true;
}
static void noise(struct fake *f)
{
    f->boot_text = "\x80\xf3\x9e\x01\xfe\x91\x8c\xff\xe0\x83";
    f->no_sync = true;
}

static void refuses(struct fake *f)
{
    f->rules[0] = (struct fake_rule){OP_SYNC, 1, 0, IN_ROM, DO_REFUSE, "01070000"};
}
/* every byte without its highest bit: C0 is 40 */
static void answers_changed(struct fake *f)
{
    f->rules[0] = (struct fake_rule){OP_SYNC, 1, 0, IN_ROM, DO_RAW, "40 01 08 0400 07122020 00000000 40"};
}
static void answers_cut(struct fake *f)
{
    f->rules[0] = (struct fake_rule){OP_SYNC, 1, 0, IN_ROM, DO_RAW, "C0 01 08 04 07 12 20 20 C0"};
}

static void diagnosis(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*bend)(struct fake *);
        enum esp_fault fault;
        const char *words;
        unsigned more_resets; /* than the seven of the usual speed */
    } rows[] = {
        {"nothing", silent, ESP_FAULT_LINK_SILENT, "not one byte", 0},
        {"deaf loader", deaf, ESP_FAULT_LINK_TX_DEAD, "waiting for download", 0},
        {"deaf loader, its text damaged", started_as_loader, ESP_FAULT_LINK_TX_DEAD, "DOWNLOAD", 0},
        {"wrong strap", wrong_strap, ESP_FAULT_BOOT_MODE, "boot:0x13", 0},
        {"application", talks, ESP_FAULT_BOARD_APP, ">>>", 0},
        {"panic", panics, ESP_FAULT_BOARD_PANIC, "Rebooting", 0},
        {"brownout", browns_out, ESP_FAULT_BOARD_BROWNOUT, "Brownout detector", 0},
        {"noise", noise, ESP_FAULT_LINK_NOISE, "make no sense", 5 /* four at half of it, one at that of logs */},
        {"refuses SYNC", refuses, ESP_FAULT_LINK_DAMAGED, "SYNC is refused with 01 07", 0},
        {"answers are changed", answers_changed, ESP_FAULT_LINK_TRANSLATED, "7 data bits", 0},
        {"answers cut", answers_cut, ESP_FAULT_LINK_NOISE, "answers SYNC with", 4},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(fake_esp32);
        rows[i].bend(f);
        struct esp *e = fake_session(f, &(struct esp_config){.chip = "esp32"}, NULL);
        struct esp_problem p = {0};
        assert_int_equal(esp_connect(e, &p), FL_TIMEOUT);
        if (p.fault != rows[i].fault || !strstr(p.text, rows[i].words))
            fail_msg("%s: %s: %s", rows[i].what, esp_fault_name(p.fault), p.text);
        assert_int_equal(f->resets, 7 + rows[i].more_resets);
        /* a session that found nobody may try again, and then finds the board */
        f->dead = f->no_sync = false;
        f->rules[0] = (struct fake_rule){0};
        fake_esp32(f);
        assert_int_equal(esp_connect(e, &p), FL_OK);
        esp_close(e);
        fake_free(f);
    }
}

/* The strap is named for the chip that was expected. */
static void strap_named(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    wrong_strap(f);
    struct esp *e = fake_session(f, &(struct esp_config){.chip = "esp32"}, NULL);
    struct esp_problem p = {0};
    assert_int_equal(esp_connect(e, &p), FL_TIMEOUT);
    assert_non_null(strstr(p.text, "GPIO0 low with GPIO2 low or open"));
    esp_close(e);
    fake_free(f);
}

static void echo(void **state)
{
    (void)state;
    struct link *l;
    struct link_ops ops;
    struct link_mem_peer peer = {NULL, echo_write, NULL, NULL};
    assert_int_equal(link_mem_open(&peer, NULL, &l), FL_OK);
    fake_no_waits(l, &ops);
    struct esp *e;
    assert_int_equal(esp_open(l, &(struct esp_config){.connect_attempts = 2}, NULL, NULL, &e), FL_OK);
    e->times = fake_times();
    struct esp_problem p = {0};
    assert_int_equal(esp_connect(e, &p), FL_TIMEOUT);
    assert_int_equal(p.fault, ESP_FAULT_LINK_ECHO);
    esp_close(e);
    link_close(l);
}

/* An empty slot is told quickly: one attempt, a reset and three SYNCs. */
static void empty_slot(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    f->dead = true;
    struct esp *e = fake_session(f, &(struct esp_config){.connect_attempts = 1}, NULL);
    struct esp_problem p = {0};
    uint64_t written = link_counters(f->link).bytes_out;
    assert_int_equal(esp_connect(e, &p), FL_TIMEOUT);
    assert_int_equal(p.fault, ESP_FAULT_LINK_SILENT);
    assert_int_equal(f->resets, 1);
    assert_int_equal(link_counters(f->link).bytes_out - written, 3 * 46);
    esp_close(e);
    fake_free(f);
}

static void strategies(void **state)
{
    (void)state;
    static const struct {
        const char *reset;
        unsigned attempts, resets; /* resets the chip saw in so many attempts that fail */
    } rows[] = {
        {"auto", 2, 3} /* the short one first */, {"none", 2, 0}, {"classic", 1, 1}, {"unix-tight", 1, 1}, {"D0|R1|W0.001|D1|R0", 3, 3},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(fake_esp32);
        f->no_sync = true;
        struct esp *e = fake_session(f, &(struct esp_config){.reset = rows[i].reset,
                                                             .connect_attempts = rows[i].attempts}, NULL);
        struct esp_problem p = {0};
        assert_int_equal(esp_connect(e, &p), FL_TIMEOUT);
        if (f->resets != rows[i].resets)
            fail_msg("%s: %u resets", rows[i].reset, f->resets);
        esp_close(e);
        fake_free(f);
    }
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = NULL;
    assert_int_equal(esp_open(f->link, &(struct esp_config){.reset = "now and then"}, NULL, NULL, &e), FL_ARG);
    assert_int_equal(esp_open(f->link, &(struct esp_config){.chip = "esp31"}, NULL, NULL, &e), FL_ARG);
    assert_null(e);
    fake_free(f);
}

/* The short pulse does on most boards; where it does not the usual one has its turn, and the slot remembers. */
static void short_pulse(void **state)
{
    (void)state;
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        struct fake *f = fake_new(fake_esp32);
        struct esp_tuning tuning = {0};
        struct esp_problem p = {0};
        f->wrong_resets = wrong;
        struct esp *e = fake_session(f, &(struct esp_config){.reset = "auto"}, &tuning);
        assert_int_equal(fake_up(e, &p), FL_OK);
        assert_int_equal(f->resets, 1 + wrong);
        assert_int_equal(f->dtr, LINK_RELEASE); /* the strap is let go */
        struct esp_region r = fake_region(0x10000, 9000, 0xff, true);
        struct esp_region_result result;
        assert_int_equal(esp_write(e, &r, 1, true, &result, &p), FL_OK);
        assert_int_equal(tuning.slow_reset, wrong);
        assert_int_equal(f->n_rungs, 0);
        assert_int_equal(esp_run(e, &p), FL_OK);
        assert_int_equal(f->resets, 2 + wrong); /* one into the application, long or short */
        assert_false(f->in_loader);
        esp_close(e);
        /* the next unit of that slot: not tried again */
        e = fake_session(f, &(struct esp_config){.reset = "auto"}, &tuning);
        f->wrong_resets = 0;
        assert_int_equal(esp_connect(e, &p), FL_OK);
        assert_int_equal(f->resets, 3 + wrong);
        esp_close(e);
        fake_region_fini(&r);
        fake_free(f);
    }
}

/* A board whose stub was left running, its receiver in the middle of a frame, behind lines that do nothing. */
static void stub_left_running(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    f->no_reset = f->in_loader = f->stub = f->inside = true;
    f->n = 5;
    struct esp *e = fake_session(f, &(struct esp_config){.reset = "none", .baud = 921600}, NULL);
    struct esp_problem p = {0};
    assert_int_equal(fake_up(e, &p), FL_OK);
    assert_true(esp_has_stub(e));
    assert_int_equal(f->seen[OP_MEM_DATA], 0); /* adopted, not loaded again */
    assert_int_equal(esp_baud(e), 921600);
    esp_close(e);

    /* the next session finds it at that speed */
    f->host_baud = 115200;
    assert_int_equal(link_set_baud(f->link, 115200, fl_deadline_never()), FL_OK);
    e = fake_session(f, &(struct esp_config){.reset = "none", .baud = 460800, .step_down = {921600}}, NULL);
    assert_int_equal(fake_up(e, &p), FL_OK);
    assert_int_equal(esp_baud(e), 460800);
    struct esp_region r = fake_region(0x10000, 9000, 0xff, true);
    struct esp_region_result result;
    assert_int_equal(esp_write(e, &r, 1, true, &result, &p), FL_OK);
    assert_memory_equal(f->flash + 0x10000, r.plain, r.size);
    fake_region_fini(&r);
    esp_close(e);
    fake_free(f);
}

/* The ROM in the middle of a frame that never ended: SYNC is heard all the same. */
static void rom_mid_frame(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    f->no_reset = f->in_loader = f->inside = true;
    f->n = 100;
    struct esp *e = fake_session(f, &(struct esp_config){.reset = "none"}, NULL);
    struct esp_problem p = {0};
    assert_int_equal(fake_up(e, &p), FL_OK);
    assert_true(esp_has_stub(e));
    esp_close(e);
    fake_free(f);
}

static void order(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = fake_session(f, NULL, NULL);
    struct esp_problem p = {0};
    struct esp_unit unit;
    struct esp_flash_info info;
    assert_int_equal(esp_identify(e, &unit, &p), FL_STATE);
    assert_int_equal(p.fault, ESP_FAULT_INTERNAL);
    assert_int_equal(esp_prepare(e, &p), FL_STATE);
    assert_int_equal(esp_attach_flash(e, 0, &info, &p), FL_STATE);
    assert_int_equal(esp_write(e, NULL, 0, true, NULL, &p), FL_STATE);
    assert_int_equal(esp_erase_all(e, &p), FL_STATE);
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_connect(e, &p), FL_STATE);
    esp_close(e);
    fake_free(f);
}

/* The same boards after the same words: two sessions at once share nothing. */
static void two_at_once(void **state)
{
    (void)state;
    struct fake *a = fake_new(fake_esp32), *b = fake_new(fake_esp32c3);
    struct esp *ea = fake_session(a, &(struct esp_config){.baud = 921600}, NULL);
    struct esp *eb = fake_session(b, &(struct esp_config){.baud = 460800}, NULL);
    struct esp_problem p = {0};
    struct esp_unit ua, ub;
    assert_int_equal(esp_connect(ea, &p), FL_OK);
    assert_int_equal(esp_connect(eb, &p), FL_OK);
    assert_int_equal(esp_identify(eb, &ub, &p), FL_OK);
    assert_int_equal(esp_identify(ea, &ua, &p), FL_OK);
    assert_int_equal(esp_prepare(ea, &p), FL_OK);
    assert_int_equal(esp_prepare(eb, &p), FL_OK);
    assert_string_equal(ua.chip, "esp32");
    assert_string_equal(ub.chip, "esp32c3");
    assert_int_equal(esp_baud(ea), 921600);
    assert_int_equal(esp_baud(eb), 460800);
    size_t na, nb;
    const uint8_t *ta = esp_text(ea, &na), *tb = esp_text(eb, &nb);
    assert_non_null(memmem(tb, nb, "ESP-ROM:esp32c3", 15));
    assert_null(memmem(ta, na, "ESP-ROM:", 8));
    esp_close(ea);
    esp_close(eb);
    fake_free(a);
    fake_free(b);
}

/* ---- into the application ------------------------------------------------------------------------ */

static void run_without_lines(void **state)
{
    (void)state;
    struct link *l;
    struct link_mem_peer peer = {NULL, NULL, NULL, NULL};
    assert_int_equal(link_mem_open(&peer, NULL, &l), FL_OK);
    struct esp *e;
    assert_int_equal(esp_open(l, &(struct esp_config){0}, NULL, NULL, &e), FL_OK);
    struct esp_problem p = {0};
    assert_int_equal(esp_run(e, &p), FL_UNSUPPORTED);
    assert_true(strlen(p.text) > 0);
    esp_close(e);
    link_close(l);
}

static void native_usb(struct fake *f, uint16_t pid)
{
    /* the memory link tells a test's story: this one is the chip's own USB */
    f->link->info.usb_vid = 0x303a;
    f->link->info.usb_pid = pid;
}

static void fake_esp32s3(struct fake *f)
{
    static const struct fake_reg regs[] = {
        {0x40001000, 9}, {0x60007044, 0x33445566}, {0x60007048, 0x1122}, {0x60007058, 0}, {0x60007050, 2u << 18},
        {0x60004038, 1u << 3}, {0x6000812c, 0},
    };
    static const uint8_t info[20] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    f->stub_name = "esp32s3";
    memcpy(f->regs, regs, sizeof regs);
    f->n_regs = T_COUNT(regs);
    memcpy(f->info, info, sizeof info);
    f->info_n = sizeof info;
    f->boot_text = "ESP-ROM:esp32s3-20210327\r\nrst:0x1 (POWERON),boot:0x0 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n";
    f->app_text = "ESP-ROM:esp32s3-20210327\r\nrst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\n";
}

/* USB-Serial/JTAG: watchdogs stopped at once, no speed changed, the bit that would bring it back cleared. */
static void usb_jtag(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32s3);
    native_usb(f, 0x1001);
    fake_set_reg(f, 0x60008098, 0xdeadbeef);
    struct esp *e = fake_session(f, &(struct esp_config){.baud = 921600}, NULL);
    struct esp_problem p = {0};
    struct esp_unit unit;
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &unit, &p), FL_OK);
    assert_int_equal(fake_reg(f, 0x60008098), 0);                         /* RTC watchdog off */
    assert_int_equal(fake_reg(f, 0x600080b4), 0x80000000);                /* super watchdog fed by itself */
    assert_int_equal(fake_reg(f, 0x600080b0), 0);                         /* both locked again */
    assert_int_equal(fake_reg(f, 0x600080b8), 0);
    assert_int_equal(esp_prepare(e, &p), FL_OK);
    assert_int_equal(f->seen[OP_CHANGE_BAUD], 0);
    fake_set_reg(f, 0x6000812c, 1);
    unsigned resets = f->resets;
    assert_int_equal(esp_run(e, &p), FL_OK);
    assert_int_equal(fake_reg(f, 0x6000812c), 0);
    assert_int_equal(f->resets, resets + 1);
    /* what the application says from the reset on is there for the boot check, its first byte too */
    char said[200];
    size_t got = 0;
    assert_int_equal(link_read(f->link, said, sizeof said, &got, fl_deadline_in_ms(100)), FL_OK);
    assert_int_equal(got, strlen(f->app_text));
    assert_memory_equal(said, f->app_text, got);
    esp_close(e);
    fake_free(f);
}

/* The boot strap is held low by hand over USB-OTG: only the watchdog starts the application. */
static void usb_otg_watchdog(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32s3);
    native_usb(f, 0x0009);
    struct esp *e = fake_session(f, NULL, NULL);
    struct esp_problem p = {0};
    assert_int_equal(fake_up(e, &p), FL_OK);
    assert_int_equal(f->seen[OP_MEM_DATA], 4 + 1); /* 7832 bytes in blocks of 0x800, 264 in one */
    fake_set_reg(f, 0x60004038, 0);
    unsigned resets = f->resets;
    assert_int_equal(esp_run(e, &p), FL_OK);
    assert_int_equal(fake_reg(f, 0x60008098), 0xd0000102);
    assert_int_equal(fake_reg(f, 0x6000809c), 2000);
    assert_int_equal(f->resets, resets); /* the lines were left alone */
    esp_close(e);
    fake_free(f);
}

/* ---- a flash without supply ---------------------------------------------------------------------------------- */

static void fake_esp32p4(struct fake *f)
{
    static const struct fake_reg regs[] = {{0x40001000, 0}, {0x5012d044, 0x33445566}, {0x5012d048, 0x1122}, {0x5012d04c, 3u << 4}};
    static const uint8_t info[20] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 18};
    f->stub_name = "esp32p4";
    memcpy(f->regs, regs, sizeof regs);
    f->n_regs = T_COUNT(regs);
    memcpy(f->info, info, sizeof info);
    f->info_n = sizeof info;
    f->boot_text = "ESP-ROM:esp32p4-eco2-20240710\r\nrst:0x1 (POWERON),boot:0x4 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n";
    f->app_text = "";
}

/* Facts 3.7: revisions 3.1 and 3.2 of the P4 leave the flash without supply, or force it on where a fuse does it already. The stub
 * looks for the flash when it starts, so it must be right by then. */
static void flash_power(void **state)
{
    (void)state;
    static const struct {
        uint32_t minor, fuse, pads, pads_after, group_after;
    } rows[] = {
        {0, 0, 0, 0, 0}, {1, 0, 0, 3, 1}, {2, 0, 8, 11, 1}, {2, 1u << 16, 7, 4, 0}, {2, 1u << 16, 1, 1, 0}, {3, 0, 0, 0, 0},
        {1, 1u << 16, 0, 3, 1},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(fake_esp32p4);
        fake_set_reg(f, 0x5012d04c, 3u << 4 | rows[i].minor);
        fake_set_reg(f, 0x5012d034, rows[i].fuse);
        fake_set_reg(f, 0x501153fc, rows[i].pads);
        struct esp *e = fake_session(f, NULL, NULL);
        struct esp_problem p = {0};
        struct esp_unit unit;
        assert_int_equal(esp_connect(e, &p), FL_OK);
        assert_int_equal(esp_identify(e, &unit, &p), FL_OK);
        assert_int_equal(unit.revision, 300 + rows[i].minor);
        assert_int_equal(fake_reg(f, 0x501153fc), rows[i].pads); /* a unit that is only asked who it is stays as it is */
        assert_int_equal(esp_prepare(e, &p), FL_OK);
        assert_int_equal(fake_reg(f, 0x501153fc), rows[i].pads_after);
        assert_int_equal(fake_reg(f, 0x5011010c), rows[i].group_after);
        assert_int_equal(fake_reg(f, 0x501151bc) & 1u << 27, 0);
        assert_int_equal(fake_reg(f, 0x501151b8) & 1u << 7, 0);
        esp_close(e);
        fake_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flash_power),
        cmocka_unit_test(diagnosis),     cmocka_unit_test(strap_named),
        cmocka_unit_test(echo),          cmocka_unit_test(empty_slot),
        cmocka_unit_test(strategies), cmocka_unit_test(short_pulse),    cmocka_unit_test(stub_left_running),
        cmocka_unit_test(rom_mid_frame), cmocka_unit_test(order),
        cmocka_unit_test(two_at_once),   cmocka_unit_test(run_without_lines),
        cmocka_unit_test(usb_jtag),      cmocka_unit_test(usb_otg_watchdog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
