/* SPDX-License-Identifier: Apache-2.0
 * The RFC 2217 client against written conversations; the bytes are those of RFC 854, 1143 and 2217. */
#include "unit/link/script.h"

#include "link/link.h"

struct run {
    struct server s;
    struct fl_wake wake;
    struct link *l;
    struct fl_why why;
};

static enum fl_err begin(struct run *r, const char *script, uint64_t ms)
{
    memset(&r->why, 0, sizeof r->why);
    assert_int_equal(fl_wake_init(&r->wake, NULL), FL_OK);
    server_start(&r->s, "rfc2217", script);
    return link_open(r->s.url, &r->wake, fl_deadline_in_ms(ms), &r->l, &r->why);
}

static void end(struct run *r)
{
    link_close(r->l);
    server_join(&r->s);
    fl_wake_fini(&r->wake);
}

static void opened(struct run *r, const char *script)
{
    if (begin(r, script, 8000) != FL_OK) {
        print_error("%s\n", r->why.text);
        server_join(&r->s);
        fail_msg("did not open");
    }
}

/* Reads until n bytes came and compares. */
static void must_read(struct link *l, const void *want, size_t n)
{
    uint8_t got[512];
    size_t at = 0, k;
    assert_true(n <= sizeof got);
    while (at < n) {
        assert_int_equal(link_read(l, got + at, n - at, &k, fl_deadline_in_ms(4000)), FL_OK);
        assert_true(k >= 1 && k <= n - at);
        at += k;
    }
    assert_memory_equal(got, want, n);
}

static void opens_and_tells_what_it_is(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN "~");
    const struct link_info *i = link_info(r.l);
    assert_int_equal(i->kind, LINK_RFC2217);
    assert_string_equal(i->url, r.s.url);
    assert_string_equal(i->device, r.s.url + strlen("rfc2217://"));
    assert_true(i->has_lines && i->has_speed);
    assert_int_equal(link_baud(r.l), 115200);
    end(&r);
}

static void sets_lines_with_one_write_and_two_answers(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN "<FFFA2C0508FFF0FFFA2C050CFFF0 >FFFA2C6908FFF0 .30 >FFFA2C690CFFF0 "
                    "<FFFA2C050BFFF0 >FFFA2C690BFFF0 "
                    "<FFFA2C0509FFF0FFFA2C050CFFF0 >FFFA2C690CFFF0FFFA2C6909FFF0 ~");
    struct fl_deadline d = fl_deadline_in_ms(5000);
    uint64_t writes = link_counters(r.l).writes;
    assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_RELEASE, d), FL_OK);
    assert_int_equal(link_counters(r.l).writes, writes + 1);
    assert_int_equal(link_set_lines(r.l, LINK_KEEP, LINK_ASSERT, d), FL_OK);
    assert_int_equal(link_set_lines(r.l, LINK_KEEP, LINK_KEEP, d), FL_OK); /* nothing to say */
    assert_int_equal(link_set_lines(r.l, LINK_RELEASE, LINK_RELEASE, d), FL_OK);
    end(&r);
}

static void doubles_ff_both_ways(void **state)
{
    (void)state;
    struct run r;
    /* C0 FF 00 FF FF out; in: the same, the doubled FF cut at the read boundary, a NOP between */
    opened(&r, OPEN "<C0FFFF00FFFFFFFF <313233 >C0FF .40 >FF00FF .40 >FFFFF1FFFF ~");
    static const uint8_t wire[] = {0xC0, 0xFF, 0x00, 0xFF, 0xFF};
    assert_int_equal(link_write(r.l, wire, sizeof wire, fl_deadline_in_ms(2000)), FL_OK);
    assert_int_equal(link_write(r.l, "123", 3, fl_deadline_in_ms(2000)), FL_OK);
    must_read(r.l, wire, sizeof wire);
    struct link_counters c = link_counters(r.l);
    assert_int_equal(c.bytes_out, 8);
    assert_int_equal(c.bytes_in, 5);
    end(&r);
}

static void sets_the_speed(void **state)
{
    (void)state;
    struct run r;
    /* 921600 = 000E1000; 16711680 = 00FF0000 has an FF to double, both ways */
    opened(&r, OPEN "<FFFA2C01000E1000FFF0 >FFFA2C65000E1000FFF0 "
                    "<FFFA2C0100FFFF0000FFF0 >FFFA2C6500FFFF0000FFF0 "
                    "<FFFA2C01000E1000FFF0 >FFFA2C6500002580FFF0 ~");
    struct fl_deadline d = fl_deadline_in_ms(5000);
    assert_int_equal(link_set_baud(r.l, 921600, d), FL_OK);
    assert_int_equal(link_baud(r.l), 921600);
    assert_int_equal(link_set_baud(r.l, 16711680, d), FL_OK);
    /* the server made 9600 of it: the link says so and knows */
    assert_int_equal(link_set_baud(r.l, 921600, d), FL_REFUSED);
    assert_non_null(strstr(link_why(r.l)->text, "9600"));
    assert_int_equal(link_baud(r.l), 9600);
    end(&r);
}

static void keeps_board_bytes_that_come_while_it_waits(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN "<FFFA2C0508FFF0 >6574732046FFFF >FFFA2C6908FFF07A7A ~");
    assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_KEEP, fl_deadline_in_ms(4000)), FL_OK);
    must_read(r.l, "ets F\xffzz", 8);
    end(&r);
}

static void ignores_what_it_need_not_know(void **state)
{
    (void)state;
    struct run r;
    /* modem state, line state, a signature text, another option's subnegotiation, an empty one, a
     * CONTROL tale about another group: none of them is the answer to RTS */
    opened(&r, OPEN "<FFFA2C050BFFF0 >FFFA2C6BB0FFF0FFFA2C6A60FFF0FFFA2C6473657232FFF0 "
                    ">FFFA1801FFF0FFFAFFF0FFFA2CFFF0FFFA2C6909FFF0FFFA2C6901FFF0 .50 >FFFA2C690BFFF041 ~");
    uint64_t t = fl_mono_ms();
    assert_int_equal(link_set_lines(r.l, LINK_KEEP, LINK_ASSERT, fl_deadline_in_ms(4000)), FL_OK);
    assert_true(fl_mono_ms() - t >= 40); /* not before the right one came */
    must_read(r.l, "A", 1);
    end(&r);
}

static void takes_a_subnegotiation_in_pieces(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN "<FFFA2C0508FFF0 >41FF .20 >FA .20 >2C .20 >69 .20 >08FF .20 >F042 ~");
    assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_KEEP, fl_deadline_in_ms(4000)), FL_OK);
    must_read(r.l, "AB", 2);
    end(&r);
}

static void a_refused_line_is_told(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN "<FFFA2C0508FFF0 >FFFA2C6909FFF0 ~");
    assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_KEEP, fl_deadline_in_ms(4000)), FL_REFUSED);
    assert_non_null(strstr(link_why(r.l)->text, "DTR"));
    end(&r);
}

static void a_late_answer_is_not_the_next_ones(void **state)
{
    (void)state;
    struct run r;
    /* the first DTR is given up after 100 ms; its answer comes with the second one's request */
    opened(&r, OPEN "<FFFA2C0508FFF0 <FFFA2C0509FFF0 >FFFA2C6908FFF0 .150 >FFFA2C6909FFF0 ~");
    assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_KEEP, fl_deadline_in_ms(100)), FL_TIMEOUT);
    assert_non_null(strstr(link_why(r.l)->text, "DTR"));
    uint64_t t = fl_mono_ms();
    assert_int_equal(link_set_lines(r.l, LINK_RELEASE, LINK_KEEP, fl_deadline_in_ms(4000)), FL_OK);
    assert_true(fl_mono_ms() - t >= 140);
    end(&r);
}

/* Sixteen answers may be owed. What finds no room among them is not sent, and not waited for later either; late answers make
 * room again. */
static void late_answers_make_room(void **state)
{
    (void)state;
    enum { OWED = 15 };
    static char script[4096];
    struct run r;
    char *p = script + sprintf(script, "%s<", OPEN);
    for (int i = 0; i < OWED; i++)
        p += sprintf(p, "FFFA2C0508FFF0");
    p += sprintf(p, " <51 >");
    for (int i = 0; i < OWED; i++)
        p += sprintf(p, "FFFA2C6908FFF0");
    (void)sprintf(p, "5A <FFFA2C0509FFF0FFFA2C050CFFF0 >FFFA2C6909FFF0FFFA2C690CFFF0 ~");
    opened(&r, script);
    for (int i = 0; i < OWED; i++)
        assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_KEEP, fl_deadline_in_ms(2)), FL_TIMEOUT);
    assert_int_equal(link_set_lines(r.l, LINK_RELEASE, LINK_RELEASE, fl_deadline_in_ms(4000)), FL_TIMEOUT);
    assert_non_null(strstr(link_why(r.l)->text, "no longer answers"));
    assert_int_equal(link_write(r.l, "Q", 1, fl_deadline_in_ms(4000)), FL_OK);
    must_read(r.l, "Z", 1);
    assert_int_equal(link_set_lines(r.l, LINK_RELEASE, LINK_RELEASE, fl_deadline_in_ms(4000)), FL_OK);
    end(&r);
}

static void a_server_that_never_answers_ends_by_itself(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN "~");
    uint64_t t = fl_mono_ms();
    assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_ASSERT, fl_deadline_in_ms(60000)), FL_TIMEOUT);
    uint64_t took = fl_mono_ms() - t;
    assert_true(took >= 2900 && took < 20000);
    assert_non_null(strstr(link_why(r.l)->text, "does not acknowledge DTR"));
    end(&r);
}

static void stops_sending_when_asked(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN "<51 >FFFA2C6CFFF05A .100 >FFFA2C6DFFF0 <4142 ~");
    uint64_t t = fl_mono_ms(); /* the server's pause begins behind this, whenever this thread comes to read Z */
    assert_int_equal(link_write(r.l, "Q", 1, fl_deadline_in_ms(1000)), FL_OK);
    must_read(r.l, "Z", 1);
    assert_int_equal(link_write(r.l, "AB", 2, fl_deadline_in_ms(4000)), FL_OK);
    assert_true(fl_mono_ms() - t >= 100);
    end(&r);
}

static void discards_what_came_and_asks_for_a_purge(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN ">6F6C64 <FFFA2C0C01FFF0 >6F6C6465 >FFFA2C7001FFF0 <51 >6E6577 ~");
    (void)usleep(30000);
    assert_int_equal(link_discard(r.l), FL_OK);
    assert_int_equal(link_write(r.l, "Q", 1, fl_deadline_in_ms(1000)), FL_OK);
    must_read(r.l, "new", 3);
    end(&r);
}

/* What fails while opening: script, code, a piece of the sentence. */
static void refusals_at_open(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        enum fl_err err;
        const char *says;
    } rows[] = {
        {ASK ">FFFD00FFFB00FFFD03FFFB03FFFE2C ~", FL_REFUSED, "use socket://127.0.0.1:"}, /* DONT COM-PORT */
        {ASK ">FFFD00FFFB00FFFE2C ~", FL_REFUSED, "refuses COM-PORT-OPTION"},
        {ASK ">4861 .20 >6C6C6F ~", FL_REFUSED, "speaks no telnet"}, /* raw bytes only: 3 s */
        {ASK ">FFFE00FFFC00FFFD2C ~", FL_REFUSED, "binary"},
        {ASK ">FFFD00 !", FL_GONE, "closed"},
        {ASK AGREE "<FFFA2C !", FL_GONE, "vanished"},
        {ASK AGREE SETUP ">FFFA2C6909 ", FL_GONE, "closed"},
        {ASK AGREE SETUP ">FFFA2C6909FFF0FFFA2C690CFFF0FFFA2C650001C200FFF0FFFA2C6607FFF0FFFA2C6701FFF0"
                         "FFFA2C6801FFF0FFFA2C6901FFF0 ~",
         FL_REFUSED, "8 data bits"},
        {ASK AGREE SETUP ">FFFA2C6909FFF0FFFA2C650001C200FFF0FFFA2C6608FFF0FFFA2C6701FFF0"
                         "FFFA2C6801FFF0FFFA2C6901FFF0 ~",
         FL_TIMEOUT, "does not acknowledge RTS"},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct run r;
        enum fl_err err = begin(&r, rows[i].script, 8000);
        if (err != rows[i].err || !strstr(r.why.text, rows[i].says) || r.l)
            fail_msg("row %zu: %s: %s", i, fl_err_text(err), r.why.text);
        end(&r);
    }
}

static void a_deadline_shorter_than_the_server_is_kept(void **state)
{
    (void)state;
    static const char *const scripts[] = {"~", ASK "~", ASK AGREE "~", ASK AGREE SETUP "~"};
    for (size_t i = 0; i < T_COUNT(scripts); i++) {
        struct run r;
        uint64_t t = fl_mono_ms();
        assert_int_equal(begin(&r, scripts[i], 200), FL_TIMEOUT);
        uint64_t took = fl_mono_ms() - t;
        assert_true(took >= 190 && took < 2500); /* the client's own limit would be 3000 */
        end(&r);
    }
}

static void a_server_without_purge_still_opens(void **state)
{
    (void)state;
    struct run r;
    uint64_t t = fl_mono_ms();
    opened(&r, ASK AGREE SETUP SETUP_ACKS PURGE "<58 >59 ~");
    assert_true(fl_mono_ms() - t >= 2900);
    assert_int_equal(link_discard(r.l), FL_OK); /* not asked again: the script would see it */
    assert_int_equal(link_write(r.l, "X", 1, fl_deadline_in_ms(1000)), FL_OK);
    must_read(r.l, "Y", 1);
    end(&r);
}

static void closing_in_the_middle_is_gone_and_stays_gone(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN "<51 >4142FFFA2C");
    uint8_t b[8];
    size_t k;
    assert_int_equal(link_write(r.l, "Q", 1, fl_deadline_in_ms(1000)), FL_OK);
    must_read(r.l, "AB", 2); /* what came before is still given */
    struct fl_deadline d = fl_deadline_in_ms(3000);
    assert_int_equal(link_read(r.l, b, sizeof b, &k, d), FL_GONE);
    assert_int_equal(k, 0);
    assert_int_equal(link_read(r.l, b, sizeof b, &k, d), FL_GONE);
    assert_int_equal(link_write(r.l, "x", 1, d), FL_GONE);
    assert_int_equal(link_drain(r.l, d), FL_GONE);
    assert_int_equal(link_discard(r.l), FL_GONE);
    assert_int_equal(link_set_baud(r.l, 9600, d), FL_GONE);
    assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_KEEP, d), FL_GONE);
    end(&r);
}

/* Options repeated, refused twice, offered that nobody asked for: each change is answered once. */
static void negotiation_answers_changes_only(void **state)
{
    (void)state;
    struct run r;
    opened(&r, OPEN
           "<51 >FFFB01FFFB01FFFD18FFFD18FFFD00FFFB00FFFD2C " /* WILL ECHO x2, DO TTYPE x2, what is so */
           "<FFFE01FFFC18 "                               /* DONT ECHO, WONT TTYPE: once each */
           ">FFFC03 <FFFE03 >FFFC03FFFB03 <FFFD03 "        /* SGA taken back, and offered again */
           ">FFFC01FFFE18 >58 <59 ~");                    /* refusals of what was refused: silence */
    assert_int_equal(link_write(r.l, "Q", 1, fl_deadline_in_ms(1000)), FL_OK);
    must_read(r.l, "X", 1);
    assert_int_equal(link_write(r.l, "Y", 1, fl_deadline_in_ms(1000)), FL_OK);
    end(&r);
}

static void negotiation_without_end_is_a_fault(void **state)
{
    (void)state;
    static char script[8192];
    struct run r;
    strcpy(script, OPEN "<51 ");
    for (int i = 0; i < 98; i++) /* with the 5 of opening 201 changes: one past the limit */
        strcat(script, ">FFFC03FFFB03 .1 ");
    strcat(script, "~");
    opened(&r, script);
    assert_int_equal(link_write(r.l, "Q", 1, fl_deadline_in_ms(1000)), FL_OK);
    uint8_t b[8];
    size_t k;
    assert_int_equal(link_read(r.l, b, sizeof b, &k, fl_deadline_in_ms(4000)), FL_FORMAT);
    end(&r);
}

static void a_subnegotiation_without_end_is_bounded(void **state)
{
    (void)state;
    static char script[16384];
    struct run r;
    /* 4,000 bytes of subnegotiation that ends as if it were an answer to DTR: dropped whole; then one
     * whose end was lost: the command that follows still counts */
    strcpy(script, OPEN "<FFFA2C0508FFF0 ");
    strcat(script, ">FFFA2C69");
    for (int i = 0; i < 200; i++)
        strcat(script, "08");
    for (int k = 0; k < 20; k++) {
        strcat(script, " >");
        for (int i = 0; i < 200; i++)
            strcat(script, "41");
    }
    strcat(script, "FFF0 >FFFA2C69FFFA2C6908FFF05A ~");
    opened(&r, script);
    assert_int_equal(link_set_lines(r.l, LINK_ASSERT, LINK_KEEP, fl_deadline_in_ms(4000)), FL_OK);
    must_read(r.l, "Z", 1);
    end(&r);
}

static void garbage_never_hurts(void **state)
{
    (void)state;
    /* 40 random streams with many FF; nothing to compare, only that it ends and stays in bounds */
    uint32_t x = 2463534242u;
    for (int round = 0; round < 40; round++) {
        static char script[4096];
        struct run r;
        char *p = script + sprintf(script, "%s<51 >", OPEN);
        for (int i = 0; i < 400; i++) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            unsigned v = x % 3 == 0 ? 0xFF : x % 5 == 0 ? 0xFA : x % 7 == 0 ? 0x2C : (x >> 8) & 0xFF;
            p += sprintf(p, "%02X", v);
        }
        opened(&r, script);
        assert_int_equal(link_write(r.l, "Q", 1, fl_deadline_in_ms(1000)), FL_OK);
        uint8_t b[64];
        size_t k, total = 0;
        enum fl_err err = FL_OK;
        while (!err) {
            err = link_read(r.l, b, sizeof b, &k, fl_deadline_in_ms(4000));
            total += k;
        }
        assert_true(err == FL_GONE || err == FL_FORMAT);
        assert_true(total <= 400);
        end(&r);
    }
}

/* A write that runs out of time may end between the two bytes of a doubled FF; what follows must not be
 * taken for a command by the other end. Ten rounds, because where it ends is the kernel's choice. */
static void a_write_cut_off_inside_a_doubled_ff(void **state)
{
    (void)state;
    static uint8_t ff[12 << 20];
    memset(ff, 0xFF, sizeof ff);
    for (int round = 0; round < 10; round++) {
        struct run r;
        opened(&r, OPEN ".60 #");
        int one_less = round % 2; /* an odd and an even number of bytes before it */
        if (one_less)
            assert_int_equal(link_write(r.l, ff, 1, fl_deadline_in_ms(20)), FL_OK);
        assert_int_equal(link_write(r.l, ff, sizeof ff, fl_deadline_in_ms(20)), FL_TIMEOUT);
        assert_int_equal(link_write(r.l, "AB", 2, fl_deadline_in_ms(8000)), FL_OK);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_and_tells_what_it_is),
        cmocka_unit_test(sets_lines_with_one_write_and_two_answers),
        cmocka_unit_test(doubles_ff_both_ways),
        cmocka_unit_test(sets_the_speed),
        cmocka_unit_test(keeps_board_bytes_that_come_while_it_waits),
        cmocka_unit_test(ignores_what_it_need_not_know),
        cmocka_unit_test(takes_a_subnegotiation_in_pieces),
        cmocka_unit_test(a_refused_line_is_told),
        cmocka_unit_test(a_late_answer_is_not_the_next_ones),
        cmocka_unit_test(late_answers_make_room),
        cmocka_unit_test(a_server_that_never_answers_ends_by_itself),
        cmocka_unit_test(stops_sending_when_asked),
        cmocka_unit_test(discards_what_came_and_asks_for_a_purge),
        cmocka_unit_test(refusals_at_open),
        cmocka_unit_test(a_deadline_shorter_than_the_server_is_kept),
        cmocka_unit_test(a_server_without_purge_still_opens),
        cmocka_unit_test(closing_in_the_middle_is_gone_and_stays_gone),
        cmocka_unit_test(negotiation_answers_changes_only),
        cmocka_unit_test(negotiation_without_end_is_a_fault),
        cmocka_unit_test(a_subnegotiation_without_end_is_bounded),
        cmocka_unit_test(garbage_never_hurts),
        cmocka_unit_test(a_write_cut_off_inside_a_doubled_ff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
