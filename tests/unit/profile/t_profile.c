/* SPDX-License-Identifier: Apache-2.0
 * Right profiles: what they become, what identifies them, what is noted, what is planned. */
#include "unit/profile/fixture.h"

#include "profile/loaded.h"

#include <limits.h>

static int set_up(void **state)
{
    char *dir = fx_dir();
    static const struct fx_row table[] = {{1, 2, 0x9000, 0x4000, "nvs"},
                                          {1, 0, 0xd000, 0x2000, "otadata"},
                                          {0, 0x10, 0x10000, 0x40000, "ota_0"},
                                          {1, 0x82, 0x50000, 0x1000, "files"}};
    fx_put_image(dir, "boot.bin", 0, fx_boot_lead, sizeof fx_boot_lead, 20000);
    fx_put_image(dir, "app.bin", 0, fx_app_lead, sizeof fx_app_lead, 200000);
    fx_put_image(dir, "c6.bin", 13, "x", 1, 2000);
    fx_put_table(dir, "table.bin", table, 4);
    uint8_t blank[0x2000];
    memset(blank, 0xff, sizeof blank);
    fx_put(dir, "blank.bin", blank, sizeof blank);
    fx_put(dir, "seven.bin", "seven b", 7);
    fx_put(dir, "pointer.bin", "version https://git-lfs.github.com/spec/v1\n", 43);
    fx_put(dir, "same.bin", "seven b", 7);
    fx_put_signed(dir, "signed.bin", 0);
    fx_put_signed(dir, "changed.bin", 1);
    *state = dir;
    return 0;
}

static int tear_down(void **state)
{
    fx_remove(*state);
    return 0;
}

static struct profile *load(const char *dir, const char *yaml)
{
    char *path = fx_write(dir, "t.yaml", yaml, strlen(yaml));
    struct profile_problems problems = {NULL, 0};
    struct profile *p = NULL;
    enum fl_err err = profile_load(path, &p, &problems);
    for (size_t i = 0; i < problems.n; i++)
        print_message("%s\n", problems.list[i].text);
    assert_int_equal(err, FL_OK);
    profile_problems_fini(&problems);
    free(path);
    return p;
}

#define TOP "profile: p\nchip: esp32\n"
#define SEVEN "images: [{offset: 0x9000, file: seven.bin}]\n"

static void every_setting(void **state)
{
    struct profile *p = load(
        *state,
        "profile: all-of_it.2\nversion: 0.40\nchip: esp32\n"
        "gate: {min_revision: 1.0, max_revision: \"3.1\", flash_size: 4096KB, secure_boot: any, flash_encryption: on}\n"
        "serial: {baud: 1500000, step_down: [921600, 115200], reset: D0|R1|W0.1|R0, stub: required}\n"
        "flash: {mode: qout, freq: 26m, size: 0x400000, erase: all, skip_matching: false}\n"
        "images:\n  - offset: 4096\n    file: \"boot.bin\"\n  - {offset: 0x9000, file: 'seven.bin'}\n"
        "boot_check: {baud: 74880, expect: \"a b\", fail: Guru Meditation, within: 1500ms}\n"
        "retry: {attempts: 7}\nverify: md5\n");
    assert_string_equal(p->name, "all-of_it.2");
    assert_string_equal(p->version, "0.40");
    assert_string_equal(p->chip, "esp32");
    assert_int_equal(p->gate.min_revision, 100);
    assert_int_equal(p->gate.max_revision, 301);
    assert_int_equal(p->gate.flash_size, 4u << 20);
    assert_int_equal(p->gate.secure_boot, ESP_UNKNOWN);
    assert_int_equal(p->gate.flash_encryption, ESP_ON);
    assert_string_equal(p->esp.chip, "esp32");
    assert_int_equal(p->esp.baud, 1500000);
    assert_int_equal(p->esp.step_down[0], 921600);
    assert_int_equal(p->esp.step_down[1], 115200);
    assert_int_equal(p->esp.step_down[2], 0);
    assert_string_equal(p->esp.reset, "D0|R1|W0.1|R0");
    assert_int_equal(p->esp.stub, ESP_STUB_REQUIRED);
    assert_true(p->erase_all);
    assert_false(p->skip_matching);
    assert_int_equal(p->flash_size, 4u << 20);
    assert_true(p->patches_header);
    assert_int_equal(p->attempts, 7);
    assert_true(p->boot_check.wanted);
    assert_int_equal(p->boot_check.baud, 74880);
    assert_string_equal(p->boot_check.expect, "a b");
    assert_string_equal(p->boot_check.fail, "Guru Meditation");
    assert_int_equal(p->boot_check.within_ms, 1500);
    assert_int_equal(p->n_images, 2);
    assert_int_equal(p->images[0].offset, 0x1000);
    assert_string_equal(p->images[1].file, "seven.bin");
    assert_int_equal(p->images[1].size, 7);
    char hex[65];
    fl_hex(p->images[1].sha256, 32, hex); /* printf 'seven b' | sha256sum, md5sum */
    assert_string_equal(hex, "b72872bd2a6746063ebc454337bd6222a29cc9acc42b6e31f71f9f855b928c57");
    profile_free(p);
}

static void defaults(void **state)
{
    struct profile *p = load(*state, TOP SEVEN);
    assert_string_equal(p->version, "0");
    assert_int_equal(p->gate.min_revision, 0);
    assert_int_equal(p->gate.max_revision, UINT_MAX);
    assert_int_equal(p->gate.flash_size, 0);
    assert_int_equal(p->gate.secure_boot, ESP_OFF);
    assert_int_equal(p->gate.flash_encryption, ESP_OFF);
    assert_int_equal(p->esp.baud, 460800);
    assert_int_equal(p->esp.step_down[0], 230400);
    assert_int_equal(p->esp.step_down[1], 115200);
    assert_int_equal(p->esp.step_down[2], 0);
    assert_string_equal(p->esp.reset, "auto");
    assert_int_equal(p->esp.stub, ESP_STUB_AUTO);
    assert_false(p->erase_all);
    assert_true(p->skip_matching);
    assert_int_equal(p->flash_size, 0);
    assert_false(p->patches_header);
    assert_int_equal(p->attempts, 2);
    assert_false(p->boot_check.wanted);
    assert_int_equal(p->boot_check.baud, 115200);
    assert_int_equal(p->boot_check.within_ms, 5000);
    assert_int_equal(p->images[0].min_revision, 0);
    assert_int_equal(p->images[0].max_revision, UINT_MAX);
    assert_int_equal(p->n_notes, 0);
    profile_free(p);
    p = load(*state, "profile: p\nchip: esp8266\n" SEVEN);
    assert_int_equal(p->boot_check.baud, 74880);
    profile_free(p);
}

/* ---- identity -------------------------------------------------------------------------------------- */

/* What is hashed, written down here; its digest by sha256sum(1). */
static void identity_is_written_down(void **state)
{
    static const char canonical[] =
        "{\"boot_check\":null,\"chip\":\"esp32\",\"flash\":{\"erase\":\"needed\",\"freq\":\"keep\",\"mode\":\"keep\","
        "\"size\":\"keep\",\"skip_matching\":true},\"gate\":{\"flash_encryption\":\"off\",\"flash_size\":\"any\","
        "\"max_revision\":\"any\",\"min_revision\":0,\"secure_boot\":\"off\"},\"images\":[{\"offset\":36864,\"sha256\":"
        "\"b72872bd2a6746063ebc454337bd6222a29cc9acc42b6e31f71f9f855b928c57\"}],\"profile\":\"p\",\"retry\":"
        "{\"attempts\":2},\"serial\":{\"baud\":460800,\"reset\":\"auto\",\"step_down\":[230400,115200],\"stub\":\"auto\"},"
        "\"verify\":\"md5\",\"version\":\"0\"}";
    struct profile *p = load(*state, TOP SEVEN);
    struct fl_buf b = FL_BUF(1 << 16);
    json_t *all = identity_settings(p->priv);
    assert_int_equal(fl_json_canonical(all, &b, NULL), FL_OK);
    assert_string_equal(fl_buf_text(&b), canonical);
    assert_string_equal(p->hash, "dbe91c16db562d57024e035fa150130e5481cf5a846217eab6f276c6f3f4ceea");
    json_decref(all);
    fl_buf_fini(&b);
    profile_free(p);
}

static void same_meaning_same_hash(void **state)
{
    static const char *const same[] = {
        TOP SEVEN,
        "# a comment\nchip:   'esp32'\n\nprofile: \"p\"\n" SEVEN,
        TOP "images:\n  - file: same.bin\n    offset: 36864\n",
        TOP "images: [{offset: 0x9000, file: seven.bin, sha256: "
            "B72872BD2A6746063EBC454337BD6222A29CC9ACC42B6E31F71F9F855B928C57}]\n",
        TOP "retry: {attempts: 2}\nserial: {baud: 460800, step_down: [230400, 115200]}\nverify: md5\n" SEVEN,
        "{\"profile\": \"p\", \"chip\": \"esp32\", \"images\": [{\"offset\": \"0x9000\", \"file\": \"seven.bin\"}]}",
        "\xef\xbb\xbf" TOP SEVEN,
    };
    char first[65] = "";
    for (size_t i = 0; i < T_COUNT(same); i++) {
        struct profile *p = load(*state, same[i]);
        if (i == 0)
            memcpy(first, p->hash, 65);
        assert_string_equal(p->hash, first);
        profile_free(p);
    }
}

static void other_meaning_other_hash(void **state)
{
    static const char *const other[] = {
        TOP SEVEN,
        "profile: q\nchip: esp32\n" SEVEN,
        "profile: p\nchip: esp32s2\n" SEVEN,
        TOP "version: \"1\"\n" SEVEN,
        TOP "gate: {min_revision: \"0.1\"}\n" SEVEN,
        TOP "gate: {max_revision: \"0.1\"}\n" SEVEN,
        TOP "gate: {flash_size: 4MB}\n" SEVEN,
        TOP "gate: {secure_boot: any}\n" SEVEN,
        TOP "gate: {flash_encryption: any}\n" SEVEN,
        TOP "serial: {baud: 460801, step_down: [230400, 115200]}\n" SEVEN,
        TOP "serial: {step_down: [115200]}\n" SEVEN,
        TOP "serial: {step_down: []}\n" SEVEN,
        TOP "serial: {reset: none}\n" SEVEN,
        TOP "serial: {stub: never}\n" SEVEN,
        TOP "flash: {mode: dio}\n" SEVEN,
        TOP "flash: {freq: 40m}\n" SEVEN,
        TOP "flash: {size: detect}\n" SEVEN,
        TOP "flash: {size: 4MB}\n" SEVEN,
        TOP "flash: {erase: all}\n" SEVEN,
        TOP "flash: {skip_matching: false}\n" SEVEN,
        TOP "images: [{offset: 0xa000, file: seven.bin}]\n",
        TOP "images: [{offset: 0x60000, file: table.bin}]\n",
        TOP "images: [{offset: 0x9000, file: seven.bin}, {offset: 0xa000, file: seven.bin}]\n",
        TOP "boot_check: {expect: a}\n" SEVEN,
        TOP "boot_check: {fail: a}\n" SEVEN,
        TOP "boot_check: {expect: a, within: 6s}\n" SEVEN,
        TOP "boot_check: {expect: a, baud: 9600}\n" SEVEN,
        TOP "retry: {attempts: 3}\n" SEVEN,
    };
    char seen[T_COUNT(other)][65];
    for (size_t i = 0; i < T_COUNT(other); i++) {
        struct profile *p = load(*state, other[i]);
        memcpy(seen[i], p->hash, 65);
        for (size_t k = 0; k < i; k++)
            if (strcmp(seen[i], seen[k]) == 0)
                fail_msg("rows %zu and %zu have one hash", k, i);
        profile_free(p);
    }
}

static void recheck_sees_another_file(void **state)
{
    const char *dir = *state;
    struct fl_why why = {0};
    fx_put(dir, "change.bin", "before", 6);
    struct profile *p = load(dir, TOP "images: [{offset: 0x9000, file: change.bin}]\n");
    assert_int_equal(profile_recheck(p, &why), FL_OK);
    assert_int_equal(profile_recheck(p, &why), FL_OK);
    fx_put(dir, "change.bin", "behind", 6);
    assert_int_equal(profile_recheck(p, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "change.bin is not the file any more"));
    fx_put(dir, "change.bin", "before", 6);
    assert_int_equal(profile_recheck(p, &why), FL_OK);
    char *path = fl_path_join(dir, "change.bin");
    assert_int_equal(unlink(path), 0);
    free(path);
    assert_int_equal(profile_recheck(p, &why), FL_NOT_FOUND);
    fx_put(dir, "change.bin", "before", 6);
    FILE *f = fopen(p->path, "a"); /* the profile itself: what it says now is not what is flashed */
    assert_non_null(f);
    assert_int_equal(fputs("# a word more\n", f) >= 0 && fclose(f) == 0, 1);
    assert_int_equal(profile_recheck(p, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "is not the profile any more that was loaded"));
    profile_free(p);
}

static void facts(void **state)
{
    static const char yaml[] = TOP "version: \"1\" # \xc3\xa4\n" SEVEN;
    struct profile *p = load(*state, yaml);
    json_t *f = profile_facts(p), *image = json_array_get(json_object_get(f, "images"), 0);
    assert_string_equal(fl_json_text(f, "hash"), p->hash);
    assert_string_equal(fl_json_text(f, "name"), "p");
    assert_string_equal(fl_json_text(f, "version"), "1");
    assert_string_equal(fl_json_text(f, "text"), yaml);
    assert_int_equal(fl_json_int(image, "offset", -1), 0x9000);
    assert_int_equal(fl_json_int(image, "size", -1), 7);
    assert_string_equal(fl_json_text(image, "file"), "seven.bin");
    assert_string_equal(fl_json_text(image, "md5"), "0ad78ec8ff0372fb2c260e47086b5ea8"); /* md5sum(1) */
    struct fl_buf b = FL_BUF(1 << 16);
    assert_int_equal(fl_json_canonical(f, &b, NULL), FL_OK); /* it goes into a leaf */
    fl_buf_fini(&b);
    json_decref(f);
    profile_free(p);
}

/* ---- notes ------------------------------------------------------------------------------------------- */

static void notes(void **state)
{
    static const struct {
        const char *yaml;
        const char *says[3]; /* ends of the lines */
    } rows[] = {
        {TOP "flash: {mode: dio}\n" SEVEN,
         {":3:8: flash.mode, freq and size change nothing: no sound image begins at 0x1000"}},
        {TOP "flash: {size: detect}\nimages: [{offset: 0x1000, file: seven.bin}]\n",
         {":3:8: flash.mode, freq and size change nothing: no sound image begins at 0x1000",
          ":4:33: 'seven.bin' holds no image at 0x1000, where the bootloader belongs: it starts with 73, an image "
          "starts with e9"}},
        {TOP "images: [{offset: 0x1000, file: app.bin}]\n",
         {":3:33: 'app.bin' is an application ('fixture') where the bootloader belongs"}},
        {TOP "images:\n  - {offset: 0x8000, file: table.bin}\n  - {offset: 0xd000, file: blank.bin}\n"
             "  - {offset: 0x10000, file: app.bin}\n",
         {NULL}},
        {TOP "flash: {erase: all}\nimages:\n  - {offset: 0x8000, file: table.bin}\n"
             "  - {offset: 0x10000, file: app.bin}\n",
         {NULL}},
        {TOP "images:\n  - {offset: 0x8000, file: table.bin}\n  - {offset: 0x50000, file: boot.bin}\n",
         {":5:29: 'boot.bin' has 20080 bytes and goes on past its partition 'files' of 4096"}},
        {TOP "images:\n  - {offset: 0x8000, file: table.bin}\n  - {offset: 0x50000, file: c6.bin}\n",
         {":5:29: 'c6.bin' is built for esp32c6 and lies in the data partition 'files'"}},
        {TOP "images:\n  - {offset: 0x8000, file: table.bin}\n  - {offset: 0x60000, file: app.bin}\n",
         {":5:14: 'app.bin' is an image and no partition begins at 0x60000"}},
        {TOP "images: [{offset: 0x1000, file: signed.bin}]\n", {NULL}},
        {TOP "images: [{offset: 0x1000, file: changed.bin}]\n",
         {":3:33: 'changed.bin' was changed after it was signed: the digest in its signature is not that of its bytes"}},
        {TOP "images: [{offset: 0x9000, file: pointer.bin}]\n",
         {":3:33: 'pointer.bin' is a pointer of Git LFS, and not the file itself: git lfs pull fetches it"}},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct profile *p = load(*state, rows[i].yaml);
        size_t n = 0;
        for (; n < 3 && rows[i].says[n]; n++) {
            const char *is = n < p->n_notes ? p->notes[n] : "(nothing)", *at = strstr(is, rows[i].says[n]);
            if (!at || strcmp(at, rows[i].says[n]) != 0)
                fail_msg("row %zu: '%s', not '%s'", i, is, rows[i].says[n]);
        }
        if (p->n_notes != n)
            fail_msg("row %zu: one note more: %s", i, p->notes[n]);
        profile_free(p);
    }
}

/* What the image's own header asks for is there for the gate. */
static void revisions_of_images(void **state)
{
    struct fl_buf b = FL_BUF(1 << 16);
    uint8_t sha[32];
    fx_image(&b, 0, "x", 1, 100);
    fl_put_u16le(b.bytes + 15, 101);
    fl_put_u16le(b.bytes + 17, 399);
    assert_int_equal(fl_sha256(b.bytes, b.len - 32, sha), FL_OK);
    memcpy(b.bytes + b.len - 32, sha, 32);
    fx_put(*state, "rev.bin", b.bytes, b.len);
    fl_buf_fini(&b);
    struct profile *p = load(*state, TOP "images: [{offset: 0x10000, file: rev.bin}]\n");
    assert_int_equal(p->images[0].min_revision, 101);
    assert_int_equal(p->images[0].max_revision, 399);
    profile_free(p);
}

/* ---- plan ----------------------------------------------------------------------------------------------- */

static void plan_adds_up(void **state)
{
    struct profile *p = load(*state, TOP "serial: {baud: 921600}\nflash: {mode: dio, freq: 80m, size: detect}\nimages:\n"
                                         "  - {offset: 0x1000, file: boot.bin}\n  - {offset: 0x9000, file: seven.bin}\n");
    json_t *plan;
    struct fl_why why = {0};
    struct fl_buf text = FL_BUF(1 << 16);
    assert_int_equal(profile_plan(p, 8u << 20, &plan, &why), FL_OK);
    json_t *header = json_object_get(plan, "header"), *totals = json_object_get(plan, "totals");
    assert_int_equal(fl_json_int(header, "offset", 0), 0x1000);
    assert_int_equal(fl_json_int(header, "size", 0), 8u << 20);
    assert_string_equal(fl_json_text(header, "mode"), "dio");
    assert_string_equal(fl_json_text(header, "freq"), "80m");
    assert_true(json_is_true(json_object_get(header, "changed")));
    assert_int_equal(fl_json_int(totals, "regions", 0), 2);
    assert_int_equal(fl_json_int(totals, "size", 0), 20080 + 8);
    int64_t bytes = 0, wire = 0;
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(plan, "regions"), i, r) {
        bytes += fl_json_int(r, "bytes", 0);
        wire += fl_json_int(r, "wire_bytes", 0);
    }
    assert_int_equal(fl_json_int(totals, "bytes", 0), bytes);
    assert_int_equal(fl_json_int(totals, "wire_bytes", 0), wire);
    assert_int_equal(fl_json_int(totals, "wire_ms", 0), wire * 10000 / 921600);
    r = json_array_get(json_object_get(plan, "regions"), 1); /* "seven b" and ff: eight bytes in one frame of 26 more */
    assert_string_equal(fl_json_text(r, "send"), "plain");
    assert_int_equal(fl_json_int(r, "wire_bytes", 0), 34);
    assert_string_equal(fl_json_text(r, "md5"), "d744b03b92bbcdea91fe5b33bc335233"); /* printf 'seven b\377' | md5sum */
    assert_int_equal(profile_plan_text(plan, &text), FL_OK);
    assert_non_null(strstr(fl_buf_text(&text), "header      at 0x1000: dio, 80m, 8 MB (set here, hash made anew)"));
    assert_non_null(strstr(fl_buf_text(&text), "  0x00009000          8          8         34       0.00  plain     d744b03b92bbcdea91fe5b33bc335233\n"));
    fl_buf_fini(&text);
    json_decref(plan);
    assert_int_equal(profile_plan(p, 0x8000, &plan, &why), FL_LIMIT);
    assert_null(plan);
    profile_free(p);
}

/* ---- tables that must agree -------------------------------------------------------------------------------- */

static void words_are_the_chip_tables(void **state)
{
    (void)state;
    char word[16];
    size_t i = 0;
    for (; esp_image_chip_at(i); i++) {
        const struct esp_image_chip *c = esp_image_chip_at(i);
        assert_string_equal(settings_word(settings_chips, (int)i, word), c->name);
        for (const struct esp_image_code *f = c->freqs; f->name; f++)
            assert_non_null(strstr(settings_freqs, f->name));
    }
    assert_string_equal(settings_word(settings_chips, (int)i, word), "");
    for (uint8_t m = 0; m < 4; m++)
        assert_string_equal(settings_word(settings_modes, m + 1, word), esp_image_mode_name(m));
}

/* profiles/README.md holds the reference as the program prints it. */
static void readme_is_the_reference(void **state)
{
    (void)state;
    struct fl_buf readme = FL_BUF(1 << 20), want = FL_BUF(1 << 20);
    assert_int_equal(fl_file_read("profiles/README.md", &readme, NULL), FL_OK);
    profile_key_reference(&want);
    assert_int_equal(fl_buf_err(&want, NULL), FL_OK);
    if (!strstr(fl_buf_text(&readme), fl_buf_text(&want)))
        fail_msg("profiles/README.md must hold what `flashline profile check --keys` prints:\n%s", fl_buf_text(&want));
    fl_buf_fini(&readme);
    fl_buf_fini(&want);
}

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t is; /* -1: none */
    } rows[] = {
        {"4MB", 4 << 20},     {"1024KB", 1 << 20}, {"0x400000", 4 << 20}, {"4194304", 4 << 20}, {"0", 0},
        {"0x0", 0},           {"4mb", -1},         {"4M", -1},            {"MB", -1},           {"", -1},
        {"0x", -1},           {"0x10MB", -1},      {"04MB", -1},          {"4MBx", -1},         {" 4MB", -1},
        {"-4MB", -1},         {"4.5MB", -1},       {"0X10", -1},          {"99999999999999999MB", -1},
        {"18446744073709551616", -1},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        uint64_t v = 0;
        bool ok = profile_parse_size(rows[i].text, &v);
        if (ok != (rows[i].is >= 0) || (ok && v != (uint64_t)rows[i].is))
            fail_msg("'%s' gives %d, %llu", rows[i].text, ok, (unsigned long long)v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting),
        cmocka_unit_test(defaults),
        cmocka_unit_test(identity_is_written_down),
        cmocka_unit_test(same_meaning_same_hash),
        cmocka_unit_test(other_meaning_other_hash),
        cmocka_unit_test(recheck_sees_another_file),
        cmocka_unit_test(facts),
        cmocka_unit_test(notes),
        cmocka_unit_test(revisions_of_images),
        cmocka_unit_test(plan_adds_up),
        cmocka_unit_test(words_are_the_chip_tables),
        cmocka_unit_test(readme_is_the_reference),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
