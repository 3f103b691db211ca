/* SPDX-License-Identifier: Apache-2.0
 * Lines that do what no cable does: answers late or twice, a port that takes no bytes or no speed, requests that vanish
 * one by one, a speed below all usual ones. The verdict names the line, and no unit is called bad for it. */
#include "unit/esp/fake.h"

/* An answer to READ_REG that is another question's, in front of the right one. */
#define STALE "C0 01 0A 04 00 11223344 00000000 C0"

static void stale_answers(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = fake_session(f, &(struct esp_config){.chip = "esp32"}, NULL);
    struct esp_problem p = {0};
    struct esp_unit u;
    /* both readings of a MAC word are answered with what was meant for somebody else, twice the same */
    f->rules[0] = (struct fake_rule){OP_READ_REG, 3, 4, IN_ROM, DO_RAW_THEN, STALE};
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &u, &p), FL_OK);
    assert_memory_equal(u.mac, "\x24\x6f\x28\xaa\xbb\xcc", 6);
    esp_close(e);
    fake_free(f);
    f = fake_new(fake_esp32);
    /* for ever: nothing that is read can be believed */
    f->rules[0] = (struct fake_rule){OP_READ_REG, 3, 0, IN_ROM, DO_RAW_THEN, STALE};
    e = fake_session(f, &(struct esp_config){.chip = "esp32"}, NULL);
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_true(esp_identify(e, &u, &p) != FL_OK);
    assert_int_equal(p.fault, ESP_FAULT_LINK_DAMAGED);
    if (!strstr(p.text, "answers come late or once more"))
        fail_msg("%s", p.text);
    esp_close(e);
    fake_free(f);
}

/* Answers that are left when nothing is asked: some may have been taken for those of other questions. */
static void before_a_verdict(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = fake_session(f, &(struct esp_config){.chip = "esp32"}, NULL);
    struct esp_problem p = {0};
    struct esp_unit u;
    static const uint8_t late[] = {0xc0, 1, 0x0a, 4, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0xc0};
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &u, &p), FL_OK);
    assert_int_equal(esp_certain(e, "flash encryption is on", &p), FL_OK);
    assert_int_equal(link_mem_send(f->link, late, sizeof late), FL_OK);
    assert_int_equal(link_mem_send(f->link, late, sizeof late), FL_OK);
    assert_int_equal(esp_certain(e, "flash encryption is on", &p), FL_MISMATCH);
    assert_int_equal(p.fault, ESP_FAULT_LINK_DAMAGED);
    assert_non_null(strstr(p.text, "flash encryption is on"));
    esp_close(e);
    fake_free(f);
}

/* A late answer with data in it is no refusal, whatever its first bytes are. */
static void late_data(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = fake_session(f, NULL, NULL);
    struct esp_problem p = {0};
    struct esp_unit u;
    f->rules[0] = (struct fake_rule){OP_READ_REG, 2, 0, IN_ROM, DO_RAW_THEN,
                                     "C0 01 13 24 00 00000000 3961346239613462 3961346239613462 3961346239613462 "
                                     "3961346239613462 00000000 C0"};
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &u, &p), FL_OK);
    assert_int_equal(f->n_rungs, 0);
    esp_close(e);
    fake_free(f);
}

static void half_the_usual_speed(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    f->max_baud = 57600;
    f->boot_text = "\x80\xf3\x9e\x01\xfe\x91\x8c\xff\xe0\x83"; /* at the speed that does not carry */
    struct esp_tuning tuning = {0};
    struct esp *e = fake_session(f, &(struct esp_config){.baud = 921600}, &tuning);
    struct esp_problem p = {0};
    struct esp_region region = fake_region(0x10000, 9000, 0x3f, true);
    struct esp_region_result result;
    if (fake_up(e, &p))
        fail_msg("%s", p.text);
    assert_int_equal(esp_write(e, &region, 1, true, &result, &p), FL_OK);
    assert_int_equal(esp_baud(e), 57600);
    assert_int_equal(fake_count(f, ESP_RUNG_BAUD_DOWN), 1);
    assert_int_equal(tuning.baud, 57600); /* the slot begins there with the next unit */
    esp_close(e);
    fake_region_fini(&region);
    fake_free(f);
}

/* A boot text in front of an answer. Where that of our reset was not heard, it is that, held back on its way; where it was, or
 * another start is told of, the chip has restarted. */
static void boot_text_late(void **state)
{
    (void)state;
    static const struct {
        const char *at_reset, *later; /* the second as hexadecimal digits */
        unsigned resets;              /* taken for it */
    } rows[] = {
        /* rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT) */
        {"", "72 73 74 3a 30 78 31 20 28 50 4f 57 45 52 4f 4e 5f 52 45 53 45 54 29 2c 62 6f 6f 74 3a 30 78 33 20 28 44 4f 57 4e 4c 4f 41 44 5f 42 4f 4f 54 29 0d 0a", 0},
        {"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT)\r\nwaiting for download\r\n",
         "72 73 74 3a 30 78 31 20 28 50 4f 57 45 52 4f 4e 5f 52 45 53 45 54 29 2c 62 6f 6f 74 3a 30 78 33 20 28 44 4f 57 4e 4c 4f 41 44 5f 42 4f 4f 54 29 0d 0a", 1},
        /* rst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT) */
        {"", "72 73 74 3a 30 78 31 30 20 28 52 54 43 57 44 54 5f 52 54 43 5f 52 45 53 45 54 29 2c 62 6f 6f 74 3a 30 78 31 33 20 28 53 50 49 5f 46 41 53 54 5f 46 4c 41 53 48 5f 42 4f 4f 54 29 0d 0a", 1},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(fake_esp32);
        struct esp *e = fake_session(f, &(struct esp_config){.chip = "esp32"}, NULL);
        struct esp_problem p = {0};
        struct esp_unit u;
        f->boot_text = rows[i].at_reset;
        f->rules[0] = (struct fake_rule){OP_READ_REG, 4, 4, IN_ROM, DO_RAW_THEN, rows[i].later};
        assert_int_equal(esp_connect(e, &p), FL_OK);
        if (esp_identify(e, &u, &p))
            fail_msg("row %zu: %s", i, p.text);
        if (fake_count(f, ESP_RUNG_RECONNECT) != rows[i].resets)
            fail_msg("row %zu: %u resets", i, fake_count(f, ESP_RUNG_RECONNECT));
        assert_memory_equal(u.mac, "\x24\x6f\x28\xaa\xbb\xcc", 6);
        esp_close(e);
        fake_free(f);
    }
}

/* Silences that end without a reset are no chip that hangs. */
static void requests_vanish(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = fake_session(f, NULL, NULL);
    struct esp_problem p = {0};
    struct esp_unit u;
    unsigned n = 0;
    for (unsigned at = 4; n < FAKE_RULES; at += 2)
        f->rules[n++] = (struct fake_rule){OP_READ_REG, at, at, ANYWHERE, DO_LOSE, NULL};
    assert_int_equal(esp_connect(e, &p), FL_OK);
    enum fl_err err = esp_identify(e, &u, &p);
    assert_true(err != FL_OK);
    assert_int_equal(p.fault, ESP_FAULT_LINK_DAMAGED);
    assert_non_null(strstr(p.text, "without a reset"));
    esp_close(e);
    fake_free(f);
}

/* ---- ports that do not do what they are told ------------------------------------------------------------------ */

struct port {
    struct link link;
    bool no_speed_now, no_bytes;
    unsigned writes;
};

static void port_close(struct link *l)
{
    free(l);
}
static enum fl_err port_read(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    (void)buf, (void)cap, (void)d;
    *got = 0;
    return fl_fail(&l->why, FL_TIMEOUT, "nothing");
}
static enum fl_err port_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    struct port *p = (struct port *)l;
    (void)bytes, (void)n, (void)d;
    p->writes++;
    return p->no_bytes ? fl_fail(&l->why, FL_TIMEOUT, "it takes no bytes") : FL_OK;
}
static enum fl_err port_set_baud(struct link *l, uint32_t baud, struct fl_deadline d)
{
    (void)d;
    l->baud = baud;
    return ((struct port *)l)->no_speed_now ? fl_fail(&l->why, FL_TIMEOUT, "the server does not answer") : FL_OK;
}
static enum fl_err port_set_lines(struct link *l, enum link_wire dtr, enum link_wire rts, struct fl_deadline d)
{
    (void)l, (void)dtr, (void)rts, (void)d;
    return FL_OK;
}

static void stuck_ports(void **state)
{
    (void)state;
    static const struct link_ops ops = {.close = port_close, .read = port_read, .write = port_write,
                                        .set_baud = port_set_baud, .set_lines = port_set_lines};
    for (int speed = 0; speed < 2; speed++) {
        struct port *p = calloc(1, sizeof *p);
        assert_non_null(p);
        link_init(&p->link, LINK_MEMORY, &ops, NULL);
        p->link.info.has_lines = p->link.info.has_speed = true;
        p->no_speed_now = speed;
        p->no_bytes = !speed;
        struct esp *e;
        struct esp_problem why = {0};
        assert_int_equal(esp_open(&p->link, &(struct esp_config){.reset = FAKE_RESET}, NULL, NULL, &e), FL_OK);
        e->times = fake_times();
        assert_int_equal(esp_connect(e, &why), FL_IO);
        assert_int_equal(why.fault, ESP_FAULT_PORT_FAILED);
        assert_non_null(strstr(why.text, speed ? "setting the speed: the server does not answer" : "sending SYNC: it takes no bytes"));
        assert_true(p->writes <= 1); /* not for each of 35 SYNCs ten seconds */
        esp_close(e);
        link_close(&p->link);
    }
}

/* The first half of an answer comes in time; then this program does not run until the deadline is over, and the rest lies in
 * the kernel's buffer. It is there, and counts. A board that talks on and on is not waited for all the same. */
struct sleeper {
    struct link link;
    bool chatter;
    unsigned reads;
};

static enum fl_err sleeper_read(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    static const uint8_t answer[] = {0xc0, 1, 0x0a, 4, 0, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0xc0};
    struct sleeper *s = (struct sleeper *)l;
    (void)cap, (void)d;
    enum { HALF = 6 };
    *got = s->chatter ? HALF : s->reads == 0 ? HALF : s->reads == 1 ? sizeof answer - HALF : 0;
    memcpy(buf, s->chatter ? (const uint8_t *)"hello " : answer + (s->reads ? HALF : 0), *got);
    s->reads++;
    own_now += 10000000000u;
    return *got ? FL_OK : fl_fail(&l->why, FL_TIMEOUT, "nothing");
}

static void a_last_look(void **state)
{
    (void)state;
    static const struct link_ops ops = {.close = port_close, .read = sleeper_read, .write = port_write,
                                        .set_baud = port_set_baud, .set_lines = port_set_lines};
    for (int chatter = 0; chatter < 2; chatter++) {
        struct sleeper *s = calloc(1, sizeof *s);
        assert_non_null(s);
        link_init(&s->link, LINK_MEMORY, &ops, NULL);
        s->chatter = chatter;
        struct esp *e;
        struct answer a;
        assert_int_equal(esp_open(&s->link, &(struct esp_config){.reset = FAKE_RESET}, NULL, NULL, &e), FL_OK);
        assert_int_equal(wire_await(e, OP_READ_REG, 0, 50, &a), chatter ? FL_TIMEOUT : FL_OK);
        assert_int_equal(s->reads, 2);
        if (!chatter)
            assert_int_equal(a.value, 0x12345678);
        esp_close(e);
        link_close(&s->link);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_answers),   cmocka_unit_test(before_a_verdict), cmocka_unit_test(late_data),   cmocka_unit_test(half_the_usual_speed), cmocka_unit_test(boot_text_late),
        cmocka_unit_test(requests_vanish), cmocka_unit_test(stuck_ports), cmocka_unit_test(a_last_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
