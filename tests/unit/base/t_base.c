/* SPDX-License-Identifier: Apache-2.0
 * base/: canonical JSON, time text, hashes, buffers, queue, wake-up, atomic files. */
#include "unit/t.h"
#include "unit/canonical.h"

#include "base/clock.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/queue.h"
#include "base/utf8.h"
#include "base/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static void canonical_bytes(void **state)
{
    (void)state;
    /* right column by hand after RFC 8785 section 3.2 */
    static const struct {
        const char *in, *out;
    } row[] = {
        {"{\"b\":1,\"a\":[true,false,null]}", "{\"a\":[true,false,null],\"b\":1}"},
        {"{ \"a\" : \"\\u0041\\u00e9\\/\" }", "{\"a\":\"A\xc3\xa9/\"}"},
        {"[\"\\u0000\\u001F\\b\\t\\n\\f\\r\\\"\\\\\"]", "[\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\\"]"},
        {"{\"a1\":1,\"a_\":2,\"a\":3}", "{\"a\":3,\"a1\":1,\"a_\":2}"},
        {"[9007199254740991,-9007199254740991,0]", "[9007199254740991,-9007199254740991,0]"},
        {"\"\\u007f\"", "\"\x7f\""},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        json_t *v;
        struct fl_buf b = FL_BUF(1000);
        assert_int_equal(fl_json_parse(row[i].in, strlen(row[i].in), &v, NULL), FL_OK);
        assert_int_equal(fl_json_canonical(v, &b, NULL), FL_OK);
        assert_string_equal(fl_buf_text(&b), row[i].out);
        assert_true(is_canonical(row[i].out, strlen(row[i].out)));
        fl_buf_fini(&b);
        json_decref(v);
    }
    static const char *const refused[] = {"[1.5]", "[9007199254740992]", "{\"A\":1}", "{\"\":1}"};
    for (size_t i = 0; i < T_COUNT(refused); i++) {
        json_t *v;
        struct fl_buf b = FL_BUF(1000);
        struct fl_why why;
        assert_int_equal(fl_json_parse(refused[i], strlen(refused[i]), &v, NULL), FL_OK);
        assert_int_equal(fl_json_canonical(v, &b, &why), FL_FORMAT);
        fl_buf_fini(&b);
        json_decref(v);
    }
    static const char *const other_form[] = {"{\"a\": 1}", "{\"b\":1,\"a\":2}", "[1.0]", "[01]",
                                             "{\"a\":1,\"a\":2}", "[\"\\u0041\"]", "", "{}x"};
    for (size_t i = 0; i < T_COUNT(other_form); i++)
        assert_false(is_canonical(other_form[i], strlen(other_form[i])));
}

static void dirty_text(void **state)
{
    (void)state;
    json_t *o = json_object();
    static const char in[] = "ok\xff\x1b[0m \xe2\x82\xac\xc0\x80\xed\xa0\x80\xc2\x9b\n";
    assert_int_equal(fl_json_set_dirty(o, "t", in, sizeof in - 1), FL_OK);
    assert_string_equal(fl_json_text(o, "t"), "ok??[0m \xe2\x82\xac???????\n");
    static const char lines[] = "a\r\nb\r\n\r\nc\rd\r"; /* CR stays visible where no line ends */
    assert_int_equal(fl_json_set_dirty(o, "t", lines, sizeof lines - 1), FL_OK);
    assert_string_equal(fl_json_text(o, "t"), "a\nb\n\nc?d?");
    json_decref(o);
}

static void time_text(void **state)
{
    (void)state;
    /* right column from `date -u -d ... +%s` */
    static const struct {
        int64_t ms;
        const char *text;
    } row[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1795334400123, "2026-11-22T08:00:00.123Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char text[FL_TIME_TEXT];
        int64_t ms;
        fl_time_format(row[i].ms, text);
        assert_string_equal(text, row[i].text);
        assert_true(fl_time_parse(text, &ms));
        assert_int_equal(ms, row[i].ms);
    }
    static const char *const bad[] = {"2026-02-30T00:00:00.000Z", "2026-11-22T08:00:00Z", "",
                                      "2026-11-22 08:00:00.000Z", "2026-11-22T24:00:00.000Z",
                                      "2026-11-22T08:00:00.000+"};
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        int64_t ms;
        assert_false(fl_time_parse(bad[i], &ms));
    }
}

static void hashes(void **state)
{
    (void)state;
    uint8_t d[32];
    char hex[65];
    assert_int_equal(fl_sha256("abc", 3, d), FL_OK); /* FIPS 180-4 example */
    fl_hex(d, 32, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(fl_md5("message digest", 14, d), FL_OK); /* RFC 1321 A.5 */
    fl_hex(d, 16, hex);
    assert_string_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0");
    struct fl_hash *h;
    assert_int_equal(fl_hash_new(FL_HASH_MD5, &h), FL_OK);
    for (int round = 0; round < 2; round++) { /* twice: a hasher starts afresh after its end */
        fl_hash_add(h, "message", 7);
        fl_hash_add(h, " digest", 7);
        assert_int_equal(fl_hash_end(h, d), FL_OK);
        fl_hex(d, 16, hex);
        assert_string_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0");
    }
    fl_hash_free(h);
    assert_true(fl_unhex("00fFa5", d, 3));
    assert_memory_equal(d, "\x00\xff\xa5", 3);
    assert_false(fl_unhex("00f", d, 2));
    assert_false(fl_unhex("0g", d, 1));
    assert_false(fl_unhex("000000", d, 2));
}

static void buffer_limit(void **state)
{
    (void)state;
    struct fl_buf b = FL_BUF(8);
    fl_buf_adds(&b, "12345678");
    assert_int_equal(fl_buf_err(&b, NULL), FL_OK);
    fl_buf_addc(&b, '9');
    assert_int_equal(fl_buf_err(&b, NULL), FL_LIMIT);
    assert_string_equal(fl_buf_text(&b), "12345678");
    fl_buf_clear(&b);
    fl_buf_addf(&b, "%d", 12345678);
    assert_int_equal(fl_buf_err(&b, NULL), FL_OK);
    assert_string_equal(fl_buf_text(&b), "12345678");
    fl_buf_fini(&b);
}

static void buffer_numbers(void **state)
{
    static const struct {
        int64_t v;
        const char *text;
    } row[] = {{0, "0"}, {7, "7"}, {-1, "-1"}, {10, "10"}, {-10, "-10"}, {1795383102395, "1795383102395"},
               {INT64_MAX, "9223372036854775807"}, {INT64_MIN, "-9223372036854775808"}};
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fl_buf b = FL_BUF(20);
        fl_buf_addi(&b, row[i].v);
        assert_int_equal(fl_buf_err(&b, NULL), FL_OK);
        assert_string_equal(fl_buf_text(&b), row[i].text);
        fl_buf_fini(&b);
    }
}

static void cursor_end(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7};
    struct fl_cursor c = fl_cursor_of(bytes, sizeof bytes);
    assert_int_equal(fl_take_u16le(&c), 0x0201);
    assert_int_equal(fl_take_u32le(&c), 0x06050403);
    assert_false(c.bad);
    assert_int_equal(fl_take_u16le(&c), 0);
    assert_true(c.bad);
    assert_int_equal(fl_take_u8(&c), 0); /* stays bad: the 7 is not given out later */
}

enum { PUTS = 2000, PUTTERS = 4 };
static void *put_many(void *arg)
{
    struct fl_queue *q = arg;
    for (uintptr_t i = 1; i <= PUTS; i++)
        if (fl_queue_put(q, (void *)i, fl_deadline_never()))
            return (void *)1;
    return NULL;
}

static void queue_between_threads(void **state)
{
    (void)state;
    struct fl_queue q;
    pthread_t t[PUTTERS];
    assert_int_equal(fl_queue_init(&q, 7), FL_OK);
    for (int i = 0; i < PUTTERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, put_many, &q), 0);
    uint64_t sum = 0, count = 0;
    while (count < PUTS * PUTTERS) {
        void *items[5];
        size_t n = fl_queue_take(&q, items, 5, fl_deadline_never());
        for (size_t i = 0; i < n; i++)
            sum += (uintptr_t)items[i];
        count += n;
    }
    assert_int_equal(sum, (uint64_t)PUTTERS * PUTS * (PUTS + 1) / 2);
    for (int i = 0; i < PUTTERS; i++) {
        void *rc;
        assert_int_equal(pthread_join(t[i], &rc), 0);
        assert_null(rc);
    }
    void *one;
    assert_int_equal(fl_queue_take(&q, &one, 1, fl_deadline_in_ms(1)), 0);
    for (int i = 0; i < 7; i++)
        assert_int_equal(fl_queue_put(&q, &q, fl_deadline_in_ms(1)), FL_OK);
    assert_int_equal(fl_queue_put(&q, &q, fl_deadline_in_ms(1)), FL_TIMEOUT);
    fl_queue_close(&q);
    assert_int_equal(fl_queue_put(&q, &q, fl_deadline_never()), FL_STATE);
    void *rest[9];
    assert_int_equal(fl_queue_take(&q, rest, 9, fl_deadline_never()), 7);
    assert_int_equal(fl_queue_take(&q, rest, 9, fl_deadline_never()), 0);
    fl_queue_fini(&q);
}

static void *raise_soon(void *arg)
{
    fl_wake_raise(arg);
    return NULL;
}

static void wake_ends_a_wait(void **state)
{
    (void)state;
    struct fl_wake w;
    pthread_t t;
    assert_int_equal(fl_wake_init(&w, NULL), FL_OK);
    assert_int_equal(fl_wake_sleep(&w, fl_deadline_in_ms(1)), FL_OK);
    assert_int_equal(pthread_create(&t, NULL, raise_soon, &w), 0);
    assert_int_equal(fl_wake_sleep(&w, fl_deadline_never()), FL_CANCELLED);
    assert_int_equal(pthread_join(t, NULL), 0);
    assert_int_equal(fl_wake_sleep(&w, fl_deadline_never()), FL_CANCELLED); /* stays raised */
    fl_wake_clear(&w);
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(fl_wake_poll(&w, p[0], POLLIN, fl_deadline_in_ms(1)), FL_TIMEOUT);
    assert_int_equal(write(p[1], "x", 1), 1);
    assert_int_equal(fl_wake_poll(&w, p[0], POLLIN, fl_deadline_never()), FL_OK);
    (void)close(p[0]);
    (void)close(p[1]);
    fl_wake_fini(&w);
}

static void files(void **state)
{
    (void)state;
    char dir[] = "/tmp/flashline-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *deep = fl_path_join(dir, "a/b/c"), *path = fl_path_join(deep, "key");
    struct fl_why why = {0};
    assert_int_equal(fl_dir_make(deep, &why), FL_OK);
    assert_int_equal(fl_dir_make(deep, &why), FL_OK);
    assert_int_equal(fl_file_replace(path, "one", 3, 0600, &why), FL_OK);
    assert_int_equal(fl_file_replace(path, "three", 5, 0600, &why), FL_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    struct fl_buf b = FL_BUF(5);
    assert_int_equal(fl_file_read(path, &b, &why), FL_OK);
    assert_string_equal(fl_buf_text(&b), "three");
    fl_buf_fini(&b);
    b = FL_BUF(4);
    assert_int_equal(fl_file_read(path, &b, &why), FL_LIMIT);
    assert_non_null(strstr(why.text, path));
    fl_buf_fini(&b);
    assert_int_equal(fl_file_read(deep, &b, &why), FL_IO);
    fl_buf_fini(&b);
    struct fl_lock l1 = {-1}, l2 = {-1};
    char *lock = fl_path_join(dir, "lock");
    assert_int_equal(fl_lock_take(&l1, lock, &why), FL_OK);
    assert_int_equal(fl_lock_take(&l2, lock, &why), FL_BUSY);
    fl_lock_drop(&l1);
    assert_int_equal(fl_lock_take(&l2, lock, &why), FL_OK);
    fl_lock_drop(&l2);
    char cmd[200];
    (void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    free(lock);
    free(path);
    free(deep);
}

/* For eyes: what steers a terminal or turns the text around it, character by character; the neighbours stay as they are. */
static void texts_for_eyes(void **state)
{
    static const struct {
        const char *is, *shown;
        bool plain;
    } rows[] = {
        {"plain \xe2\x82\xac \xf0\x9f\x98\x80", "plain \xe2\x82\xac \xf0\x9f\x98\x80", true},
        {"\x1b[1m\x7f\xc2\x9b", "?[1m???", false},
        {"\xc2\xa0", "\xc2\xa0", true},
        {"ann \xe2\x80\xae", "ann ???", false},                                         /* U+202E: what follows reads backwards */
        {"\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9", "?????????", false},                   /* U+202A, U+2066, U+2069 */
        {"\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa", "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa", true},
        {"\xd7\xa9\xd7\x9c", "\xd7\xa9\xd7\x9c", true},                                  /* Hebrew needs none of them */
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        char text[64];
        assert_int_equal(fl_utf8_plain(rows[i].is), rows[i].plain);
        (void)snprintf(text, sizeof text, "%s", rows[i].is);
        fl_utf8_clean(text, false);
        assert_string_equal(text, rows[i].shown);
    }
}

/* A sentence is one line of UTF-8, whatever was quoted in it and wherever it was cut. */
static void sentences(void **state)
{
    (void)state;
    struct fl_why why;
    assert_int_equal(fl_fail(&why, FL_ARG, "'%.2s' and %s", "a\xc3\xa9", "b\xff\nc"), FL_ARG);
    assert_string_equal(why.text, "'a?' and b??c");
    assert_int_equal(fl_why_wrap(&why, FL_ARG, "\xe2\x82\xac %.1s: ", "\xe2\x82\xac"), FL_ARG);
    assert_string_equal(why.text, "\xe2\x82\xac ?: 'a?' and b??c");
    char longer[FL_WHY_MAX + 10];
    memset(longer, 'x', sizeof longer);
    memcpy(longer + FL_WHY_MAX - 2, "\xc3\xa9", 3); /* its first byte is the last that has room */
    (void)fl_fail(&why, FL_ARG, "%s", longer);
    assert_int_equal(strlen(why.text), FL_WHY_MAX - 1);
    assert_int_equal(why.text[FL_WHY_MAX - 2], '?');
    errno = ENOENT;
    assert_int_equal(fl_fail_os(&why, "\x1b[2J%s", "file"), FL_NOT_FOUND);
    assert_int_equal(strncmp(why.text, "?[2Jfile: ", 10), 0);
    assert_int_equal(errno, ENOENT);
}

static void names_of_a_folder(void **state)
{
    (void)state;
    static const char *const made[] = {"b.note", "a.note", ".note", "note", "a.notes", "B.note"}, *const want[] = {"B.note", "a.note", "b.note"};
    char dir[] = "/tmp/flashline-t-XXXXXX", cmd[200];
    struct fl_names names;
    struct fl_why why = {0};
    assert_non_null(mkdtemp(dir));
    char *missing = fl_path_join(dir, "missing"), *file = fl_path_join(dir, "note");
    for (size_t i = 0; i < T_COUNT(made); i++) {
        char *path = fl_path_join(dir, made[i]);
        assert_int_equal(fl_file_replace(path, "x", 1, 0600, &why), FL_OK);
        free(path);
    }
    assert_int_equal(fl_dir_names(dir, ".note", &names, &why), FL_OK);
    assert_int_equal(names.n, T_COUNT(want));
    for (size_t i = 0; i < names.n; i++)
        assert_string_equal(names.name[i], want[i]);
    fl_names_free(&names);
    assert_int_equal(fl_dir_names(dir, "", &names, &why), FL_OK);
    assert_int_equal(names.n, T_COUNT(made)); /* without . and .. */
    fl_names_free(&names);
    assert_int_equal(fl_dir_names(missing, "", &names, &why), FL_OK);
    assert_int_equal(names.n, 0);
    assert_true(fl_dir_names(file, "", &names, &why) != FL_OK); /* what cannot be read is not empty */
    assert_int_equal(names.n, 0);
    (void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    free(missing);
    free(file);
}

static void arrays_grow(void **state)
{
    (void)state;
    size_t cap = 0, n = 0;
    uint64_t *list = NULL;
    for (; n < 1000; n++) {
        uint64_t *more = fl_grow(list, n, 1, &cap, sizeof *more);
        assert_non_null(more);
        list = more;
        list[n] = n;
        assert_true(cap > n);
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(list[i], i);
    size_t before = cap;
    assert_ptr_equal(fl_grow(list, n, cap - n, &cap, sizeof *list), list); /* room there is already */
    assert_int_equal(cap, before);
    assert_null(fl_grow(list, n, SIZE_MAX / sizeof *list, &cap, sizeof *list)); /* more than can be counted: untouched */
    assert_int_equal(cap, before);
    assert_int_equal(list[n - 1], n - 1);
    free(list);
}

/* What a user may name besides files: a pipe that somebody or nobody writes into, a device, nothing at all. */
static void other_things(void **state)
{
    (void)state;
    char dir[] = "/tmp/flashline-t-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *pipe_path = fl_path_join(dir, "pipe"), *link_path = fl_path_join(dir, "null");
    struct fl_why why = {0};
    struct fl_buf b = FL_BUF(100);
    struct stat st;
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    /* nobody reads: an error at once. A file put in its place would have taken it away */
    assert_true(fl_file_replace(pipe_path, "x", 1, 0600, &why) != FL_OK);
    assert_true(stat(pipe_path, &st) == 0 && S_ISFIFO(st.st_mode));
    assert_null(fl_file_create(pipe_path)); /* and so for one that is written bit by bit */
    int both = open(pipe_path, O_RDWR);
    assert_true(both >= 0);
    assert_int_equal(fl_file_replace(pipe_path, "through", 7, 0600, &why), FL_OK);
    char got[8] = {0};
    assert_int_equal(read(both, got, 7), 7);
    assert_string_equal(got, "through");
    /* somebody has written, and is gone: its bytes are read, to their end */
    assert_int_equal(write(both, "pipe", 4), 4);
    int reader = open(pipe_path, O_RDONLY | O_NONBLOCK);
    close(both); /* the bytes stay while a reader is there */
    assert_int_equal(fl_file_read(pipe_path, &b, &why), FL_OK);
    assert_int_equal(b.len, 4);
    close(reader);
    fl_buf_fini(&b);
    /* a device stays one */
    assert_int_equal(symlink("/dev/null", link_path), 0);
    assert_int_equal(fl_file_replace(link_path, "x", 1, 0600, &why), FL_OK);
    assert_true(stat(link_path, &st) == 0 && S_ISCHR(st.st_mode));
    assert_int_equal(fl_dir_make("", &why), FL_ARG);
    char cmd[200];
    (void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    free(pipe_path);
    free(link_path);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_bytes), cmocka_unit_test(dirty_text),
        cmocka_unit_test(time_text),       cmocka_unit_test(hashes),
        cmocka_unit_test(buffer_limit), cmocka_unit_test(buffer_numbers),    cmocka_unit_test(cursor_end),
        cmocka_unit_test(queue_between_threads), cmocka_unit_test(wake_ends_a_wait),
        cmocka_unit_test(files),           cmocka_unit_test(other_things),
        cmocka_unit_test(sentences), cmocka_unit_test(texts_for_eyes), cmocka_unit_test(names_of_a_folder), cmocka_unit_test(arrays_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
