/* SPDX-License-Identifier: Apache-2.0
 * event/: the fault table, MAC text, jobs, tickets, the board, and the bytes of an attempt's leaves. */
#include "unit/t.h"

#include "esp/fault.h"
#include "event/board.h"
#include "event/event.h"

static void every_engine_fault_is_known(void **state)
{
    (void)state;
    static const char *const engine[] = {
#define X(id, name, text) name,
        ESP_FAULT_LIST(X)
#undef X
    };
    for (size_t i = 0; i < T_COUNT(engine); i++) {
        if (!engine[i][0])
            continue;
        if (!fault_find(engine[i]))
            fail_msg("esp/fault.h names %s, event/fault.c does not know it", engine[i]);
    }
    assert_null(fault_find(""));
    assert_null(fault_find("ram"));
}

static void fault_table_is_whole(void **state)
{
    (void)state;
    size_t n;
    const struct fault *t = fault_table(&n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(fault_find(t[i].name), &t[i]); /* each name once */
        assert_non_null(strchr(t[i].name, '.'));
        assert_int_not_equal(t[i].outcome, OUTCOME_PASS);
        assert_true(strcmp(t[i].who, "operator") == 0 || strcmp(t[i].who, "engineer") == 0 ||
                    strcmp(t[i].who, "nobody") == 0);
        assert_true(t[i].what[0] && t[i].todo[0] && t[i].engineer[0]);
        assert_int_equal(t[i].todo[strlen(t[i].todo) - 1], '.');
    }
}

/* Nobody is told to plug a cable in where a network leads to the slot; all else is as ever. */
static void network_has_no_socket(void **state)
{
    (void)state;
    static const char *const network[] = {"rfc2217://10.0.0.7:3001", "socket://[::1]:6100"}, *const here[] = {"/dev/ttyUSB0", "usb:1-1.4.1", "pty:/x", ""};
    static const char *const words[] = {"lug the cable", "nplug", "socket", "the cable and"};
    static const char *const others[] = {"port.missing", "port.failed", "port.flapping", "link.lost"};
    size_t n;
    const struct fault *t = fault_table(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < T_COUNT(here); k++)
            assert_ptr_equal(fault_todo(&t[i], here[k]), t[i].todo);
    for (size_t i = 0; i < T_COUNT(others); i++)
        for (size_t k = 0; k < T_COUNT(network); k++) {
            const char *todo = fault_todo(fault_find(others[i]), network[k]);
            assert_int_equal(todo[strlen(todo) - 1], '.');
            for (size_t w = 0; w < T_COUNT(words); w++)
                if (strstr(todo, words[w]))
                    fail_msg("%s at %s: %s", others[i], network[k], todo);
        }
    assert_ptr_equal(fault_todo(fault_find("verify.md5"), network[0]), fault_find("verify.md5")->todo);
}

static void mac_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } row[] = {
        {"24:6f:28:aa:bb:cc", 6},       {"24-6F-28-AA-BB-CC", 6}, {"246f28AABBCC", 6},
        {"24:6f:28:ff:fe:aa:bb:cc", 8}, {"", 0},                  {"24:6f:28:aa:bb", 0},
        {"24:6f:28:aa:bb:cc:", 0},      {":24:6f:28:aa:bb:cc", 0}, {"24:6f-28:aa:bb:cc", 0},
        {"246:f28aabbcc", 0},           {"24:6f:28aabbcc", 0},    {"24::6f28aabbcc", 0},
        {"24:6f:28:aa:bb:cg", 0},       {"24:6f:28:aa:bb:cc:dd:ee:ff", 0},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        uint8_t mac[8];
        if (event_mac_parse(row[i].text, mac) != row[i].n)
            fail_msg("'%s' gave %zu bytes", row[i].text, event_mac_parse(row[i].text, mac));
        if (row[i].n == 6) {
            char text[24];
            assert_memory_equal(mac, "\x24\x6f\x28\xaa\xbb\xcc", 6);
            event_mac_format(mac, 6, text);
            assert_string_equal(text, "24:6f:28:aa:bb:cc");
        }
    }
}

static void job_is_a_uuid(void **state)
{
    (void)state;
    char a[EVENT_JOB_TEXT], b[EVENT_JOB_TEXT];
    assert_int_equal(event_job(a), FL_OK);
    assert_int_equal(event_job(b), FL_OK);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-' && a[14] == '7');
    assert_non_null(strchr("89ab", a[19]));
}

static void *answer(void *arg)
{
    struct fl_why why = {.text = "disk full"};
    event_ticket_answer(arg, FL_FULL, -1, &why);
    return NULL;
}

static void ticket_between_threads(void **state)
{
    (void)state;
    struct event_ticket t;
    pthread_t th;
    int64_t leaf = 7;
    struct fl_why why = {0};
    assert_int_equal(event_ticket_init(&t), FL_OK);
    assert_int_equal(event_ticket_wait(&t, fl_deadline_in_ms(1), &leaf, &why), FL_TIMEOUT);
    assert_int_equal(pthread_create(&th, NULL, answer, &t), 0);
    assert_int_equal(event_ticket_wait(&t, fl_deadline_never(), &leaf, &why), FL_FULL);
    assert_string_equal(why.text, "disk full");
    assert_int_equal(pthread_join(th, NULL), 0);
    event_ticket_reset(&t);
    event_ticket_answer(&t, FL_OK, 42, NULL);
    assert_int_equal(event_ticket_wait(&t, fl_deadline_never(), &leaf, &why), FL_OK);
    assert_int_equal(leaf, 42);
    event_ticket_fini(&t);
}

/* The bytes of a record are for ever: they stand here literally. */
static void attempt_bytes(void **state)
{
    (void)state;
    struct attempt_facts *f = calloc(1, sizeof *f);
    assert_non_null(f);
    *f = (struct attempt_facts){
        .job = "11111111-2222-4333-8444-555555555555", .slot = 3, .port = "/dev/ttyUSB0",
        .bridge_path = "1-1.4.1", .bridge_vid = 0x1a86, .bridge_pid = 0x55d4,
        .profile = "00ff", .outcome = OUTCOME_FAIL, .fault = "verify.md5", .step = "verify",
        .why = "0x20000: \x01 differs", .chip = "esp32", .has_mac = true,
        .mac = {0x24, 0x6f, 0x28, 0xaa, 0xbb, 0xcc}, .revision = 300, .flash_id = 0x1640ef,
        .flash_size = 4194304, .secure_boot = 0, .flash_encryption = -1, .baud = 921600,
        .start_ms = 1795334400123, .duration_ms = 4321, .n_steps = 2, .n_rungs = 1, .n_regions = 2,
    };
    f->steps[0] = (struct attempt_step){"connect", 300, 0};
    f->steps[1] = (struct attempt_step){"write", 4000, 2};
    f->rungs[0] = (struct attempt_rung){"resend", "ram.checksum", 6144, 2, "write"};
    memset(f->regions[0].md5, 0xaa, 16);
    memset(f->regions[0].md5_found, 0xaa, 16);
    f->regions[0].offset = 4096;
    f->regions[0].size = 65536;
    f->regions[0].state = 'v';
    f->regions[1] = f->regions[0];
    f->regions[1].state = 'b';
    f->regions[1].md5_found[15] = 0;
    json_t *start = event_attempt_start_body(f), *result = event_attempt_result_body(f);
    struct fl_buf b = FL_BUF(4096);
    assert_int_equal(fl_json_canonical(start, &b, NULL), FL_OK);
    assert_string_equal(fl_buf_text(&b),
                        "{\"chip\":\"esp32\",\"job\":\"11111111-2222-4333-8444-555555555555\","
                        "\"mac\":\"24:6f:28:aa:bb:cc\",\"port\":\"/dev/ttyUSB0\",\"profile\":\"00ff\",\"slot\":3}");
    fl_buf_clear(&b);
    assert_int_equal(fl_json_canonical(result, &b, NULL), FL_OK);
    assert_string_equal(
        fl_buf_text(&b),
        "{\"baud\":921600,\"bridge\":{\"id\":\"1a86:55d4\",\"path\":\"1-1.4.1\"},\"chip\":\"esp32\","
        "\"fault\":\"verify.md5\",\"flash_id\":1458415,\"flash_size\":4194304,"
        "\"job\":\"11111111-2222-4333-8444-555555555555\",\"mac\":\"24:6f:28:aa:bb:cc\",\"ms\":4321,"
        "\"outcome\":\"FAIL\",\"port\":\"/dev/ttyUSB0\",\"profile\":\"00ff\","
        "\"regions\":[[4096,65536,\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"v\"],"
        "[4096,65536,\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"b\",\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00\"]],"
        "\"revision\":300,\"rungs\":[[\"resend\",\"ram.checksum\",6144,2,\"write\"]],\"secure_boot\":0,\"slot\":3,"
        "\"start_ms\":1795334400123,\"step\":\"verify\",\"steps\":[[\"connect\",300],[\"write\",4000,2]],"
        "\"why\":\"0x20000: ? differs\"}");
    fl_buf_fini(&b);
    json_decref(start);
    json_decref(result);
    free(f);
}

/* What the chip is locked against, and a bridge without low-latency mode: told where there is something to tell. */
static void security_bytes(void **state)
{
    (void)state;
    struct attempt_facts *f = calloc(1, sizeof *f);
    assert_non_null(f);
    *f = (struct attempt_facts){.job = "j", .slot = 1, .port = "p", .outcome = OUTCOME_PASS, .fault = "", .step = "",
                                .bridge_vid = 0x0403, .bridge_pid = 0x6001, .bridge_slow = true, .bridge_mbps = 12,
                                .bridge_latency_ms = 16, .bridge_product = "FT232R", .secure_boot = 1,
                                .damage = {.refused = 3, .lost = 2, .changed = 1, .n_cells = 2,
                                           .cells = {{115200, 6144, 2, 0}, {921600, 16384, 9, 3}}},
                                .flash_encryption = 0, .secure_download = true, .jtag_off = true,
                                .has_security_flags = true, .security_flags = 0x45};
    json_t *result = event_attempt_result_body(f);
    struct fl_buf b = FL_BUF(4096);
    assert_int_equal(fl_json_canonical(result, &b, NULL), FL_OK);
    assert_string_equal(fl_buf_text(&b),
                        "{\"bridge\":{\"id\":\"0403:6001\",\"latency_ms\":16,\"low_latency\":0,\"mbps\":12,\"product\":\"FT232R\"},"
                        "\"damage\":{\"blocks\":[[115200,6144,2,0],[921600,16384,9,3]],\"changed\":1,\"lost\":2,\"refused\":3},"
                        "\"flash_encryption\":0,\"job\":\"j\","
                        "\"jtag_off\":1,\"ms\":0,\"outcome\":\"PASS\",\"port\":\"p\",\"secure_boot\":1,"
                        "\"secure_download\":1,\"security_flags\":69,\"slot\":1,\"start_ms\":0}");
    fl_buf_fini(&b);
    json_decref(result);
    free(f);
}

static void board_views(void **state)
{
    (void)state;
    struct board *b = board_new(2);
    struct slot_view v;
    assert_non_null(b);
    board_get(b, 1, &v);
    assert_int_equal(v.leaf, -1);
    v.slot = 9;
    board_put(b, 1, &v);
    board_progress(b, 1, 5, 10);
    board_get(b, 1, &v);
    assert_int_equal(v.slot, 9);
    assert_int_equal(v.done, 5);
    assert_int_equal(v.changes, 2);
    board_say(b, 8, true, "another slot", 70); /* there is none */
    board_get(b, 1, &v);
    assert_int_equal(v.changes, 2);
    board_say(b, 9, true, "'SN1' waits for slot 2 already", 70);
    board_put(b, 1, &(struct slot_view){.slot = 9, .step = "", .fault = "", .leaf = -1, .said = "not the slot's to say"});
    board_get(b, 1, &v);
    assert_string_equal(v.said, "'SN1' waits for slot 2 already");
    assert_true(v.refused && v.said_ms == 70 && v.done == 0);
    assert_int_equal(v.changes, 4);
    board_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_engine_fault_is_known), cmocka_unit_test(fault_table_is_whole), cmocka_unit_test(network_has_no_socket),
        cmocka_unit_test(mac_text),                    cmocka_unit_test(job_is_a_uuid),
        cmocka_unit_test(ticket_between_threads),      cmocka_unit_test(attempt_bytes), cmocka_unit_test(security_bytes),
        cmocka_unit_test(board_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
