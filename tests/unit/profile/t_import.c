/* SPDX-License-Identifier: Apache-2.0
 * What becomes of command lines, flasher_args.json and merged images: the exact YAML, the exact refusals. Digests by
 * sha256sum(1). */
#include "unit/t.h"

#include "profile/import.h"

/* an ESP32 image of one segment */
static const uint8_t image32[] = {
    0xe9, 0x01, 0x02, 0x20, 0x00, 0x04, 0x08, 0x40, 0xee, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x40, 0x3f, 0x04, 0x00, 0x00, 0x00,
    0x01, 0x02, 0x04, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe0,
};
#define IMAGE_SHA "f7e60b88164ee24b83fc9b9bc7f842c9f87a4a22962dc3b3d986f40414541a1c"
#define WIFI_SHA "debdc6fdb6c19c94ff78b653767bfac108d84ed51a54a58a72866dc635b15729" /* of the four bytes "wifi" */

/* Files named wifi... hold "wifi", all others the image. */
static enum fl_err see_all(struct import *i)
{
    enum fl_err err = FL_OK;
    for (size_t k = 0; !err && k < i->n; k++)
        err = strstr(i->images[k].file, "wifi") ? import_see(i, k, (const uint8_t *)"wifi", 4)
                                                : import_see(i, k, image32, sizeof image32);
    return err;
}

static void expect(struct import *i, enum fl_err err, const char *yaml, const char *refused, size_t row)
{
    struct fl_buf out = FL_BUF(1 << 16);
    if (!err)
        err = see_all(i);
    if (!err)
        err = import_yaml(i, &out);
    if (err != (refused ? FL_FORMAT : FL_OK) || strcmp(fl_buf_text(&i->refused), refused ? refused : "") != 0 ||
        strcmp(fl_buf_text(&out), yaml ? yaml : "") != 0)
        fail_msg("row %zu: %s\nrefused: %s\nis:\n%s\nwant:\n%s", row, fl_err_text(err), fl_buf_text(&i->refused),
                 fl_buf_text(&out), yaml ? yaml : "");
    fl_buf_fini(&out);
    import_fini(i);
}

#define MADE "# Made by `flashline profile import` from\n#   "
#define AT(offset, file, sha) "  - offset: " offset "\n    file: \"" file "\"\n    sha256: " sha "\n"

static const struct {
    const char *line, *yaml, *refused;
} lines[] = {
    /* as M5Burner prints it */
    {"esptool.py --chip esp32 --port /dev/ttyUSB0 --baud 1500000 --before default_reset write_flash -z --flash_mode dio "
     "--flash_freq 80m --flash_size detect 0x1000 x.bin 0x7ff000 wifi.bin",
     MADE "esptool.py --chip esp32 --port /dev/ttyUSB0 --baud 1500000 --before default_reset write_flash -z --flash_mode "
          "dio --flash_freq 80m --flash_size detect 0x1000 x.bin 0x7ff000 wifi.bin\n"
          "profile: x\nchip: esp32\nserial: {baud: 1500000}\nflash: {mode: dio, freq: 80m, size: detect}\nimages:\n" AT(
              "0x1000", "x.bin", IMAGE_SHA) AT("0x7ff000", "wifi.bin", WIFI_SHA),
     NULL},
    /* version 5, the module, short options, a chip that shows from the image, offsets out of order, decimal */
    {"python3 -m esptool -b921600 write-flash --flash-mode=qio -ff 40m -fs 16MB -e 65536 app.bin 0x1000 b/x.bin",
     MADE "python3 -m esptool -b921600 write-flash --flash-mode=qio -ff 40m -fs 16MB -e 65536 app.bin 0x1000 b/x.bin\n"
          "profile: app\nchip: esp32\nserial: {baud: 921600}\nflash: {mode: qio, freq: 40m, size: 16MB, erase: all}\n"
          "images:\n" AT("0x1000", "b/x.bin", IMAGE_SHA) AT("0x10000", "app.bin", IMAGE_SHA),
     NULL},
    /* another system's paths, quotes, a line that goes on, nothing to keep of keep and default */
    {"\"C:\\Program Files\\esptool.exe\" -c ESP32-S3 --before no_reset --no-stub \\\n write_flash -u -fm keep 0x0 'my "
     "\"wifi\".bin'",
     MADE "'C:\\Program Files\\esptool.exe' -c ESP32-S3 --before no_reset --no-stub write_flash -u -fm keep 0x0 'my "
          "\"wifi\".bin'\n"
          "profile: my--wifi-\nchip: esp32s3\nserial: {reset: none, stub: never}\nimages:\n" AT(
              "0x0", "my \\\"wifi\\\".bin", WIFI_SHA),
     NULL},
    /* told, in the file too */
    {"esptool --after no_reset write_flash --force 0x1000 x.bin",
     MADE "esptool --after no_reset write_flash --force 0x1000 x.bin\n"
          "# Not taken over: --after no_reset: flashline always resets a unit at the end\n"
          "# Not taken over: --force: what is certainly wrong is refused all the same\n"
          "profile: x\nchip: esp32\nimages:\n" AT("0x1000", "x.bin", IMAGE_SHA),
     NULL},
    /* as ESP-IDF prints it; what is in the file stands in its place */
    {"python -m esptool --chip esp32 -b 460800 write_flash \"@flash_args\" 0x20000 wifi",
     MADE "python -m esptool --chip esp32 -b 460800 write_flash --flash_mode dio --flash_size 2MB 0x1000 b/x.bin 0x9000 'my "
          "wifi.bin' 0x20000 wifi\n"
          "profile: x\nchip: esp32\nserial: {baud: 460800}\nflash: {mode: dio, size: 2MB}\nimages:\n" AT(
              "0x1000", "b/x.bin", IMAGE_SHA) AT("0x9000", "my wifi.bin", WIFI_SHA) AT("0x20000", "wifi", WIFI_SHA),
     NULL},
    {"esptool write_flash @none", NULL, "'none' cannot be read, expected words of a command line\n"},
    {"esptool write_flash @zero", NULL, "'zero' is no text, expected words of a command line\n"},
    {"esptool write_flash @open", NULL, "a quote is not closed, expected its other half\n"},
    {"esptool write_flash @again", NULL, "'@flash_args' is the last word, expected a file after an offset\n"},
    /* refused */
    {"esptool write_flash --encrypt 0x1000 x.bin", NULL,
     "--encrypt cannot be taken over: a profile writes what is in the files and does not have it encrypted\n"},
    {"esptool write_flash --encrypt-files 0x1000 x.bin", NULL,
     "--encrypt-files cannot be taken over: a profile writes what is in the files and does not have it encrypted\n"},
    {"esptool write_flash --flash_sise 4MB 0x1000 x.bin", NULL, "the option --flash_sise is not known\n"},
    {"esptool --flash_size 4MB write_flash 0x1000 x.bin", NULL,
     "the option --flash_size is not known before write_flash\n"},
    {"esptool write_flash --flash_size 2MB-c1 0x1000 x.bin", NULL,
     "--flash-size is '2MB-c1', which a profile cannot hold\n"},
    {"esptool write_flash -fm fast 0x1000 x.bin", NULL, "--flash-mode is 'fast', which a profile cannot hold\n"},
    {"esptool --chip esp99 write_flash 0x1000 x.bin", NULL, "--chip is 'esp99', which a profile cannot hold\n"},
    {"esptool --baud fast write_flash 0x1000 x.bin", NULL,
     "--baud is 'fast', expected bits a second from 9600 to 5000000\n"},
    {"esptool --before sleep write_flash 0x1000 x.bin", NULL,
     "--before is 'sleep', expected default-reset, usb-reset or no-reset\n"},
    {"esptool erase_flash", NULL, "'erase_flash' is not write_flash, expected a command that writes images\n"},
    {"esptool --chip esp32", NULL, "there is no write_flash in it, expected a command that writes images\n"},
    {"esptool --chip", NULL, "--chip is the last word, expected a value after it\n"},
    {"esptool write_flash", NULL, "there is no image in it, expected at least one\n"},
    {"esptool write_flash 0x1000", NULL, "'0x1000' is the last word, expected a file after an offset\n"},
    {"esptool write_flash x.bin 0x1000", NULL,
     "'x.bin' is no offset, expected a number like 0x1000 before '0x1000'\n"},
    {"esptool write_flash 0x100000000 x.bin", NULL,
     "'0x100000000' is no offset, expected a number like 0x1000 before 'x.bin'\n"},
    {"esptool write_flash 0x9000 wifi.bin", NULL,
     "the chip is neither said nor does it show from an image, expected it to be named\n"},
    {"esptool write_flash 0x9000 'wifi.bin", NULL, "a quote is not closed, expected its other half\n"},
};

static enum fl_err words_of(void *ctx, const char *file, struct fl_buf *text)
{
    static const struct {
        const char *name, *text;
        size_t n;
    } files[] = {
        {"flash_args", "--flash_mode dio --flash_size 2MB\r\n0x1000 b/x.bin\n0x9000 'my wifi.bin'\n", 71},
        {"zero", "0x1000\0x.bin", 12}, {"open", "0x1000 'x.bin", 13}, {"again", "@flash_args", 11},
    };
    assert_null(ctx);
    for (size_t i = 0; i < T_COUNT(files); i++)
        if (strcmp(files[i].name, file) == 0) {
            fl_buf_add(text, files[i].text, files[i].n);
            return FL_OK;
        }
    return FL_NOT_FOUND;
}

static void command_lines(void **state)
{
    (void)state;
    for (size_t r = 0; r < T_COUNT(lines); r++) {
        struct import i;
        import_init(&i);
        i.read = words_of;
        enum fl_err err = import_command_line(&i, lines[r].line);
        expect(&i, err, lines[r].yaml, lines[r].refused, r);
    }
}

/* As ESP-IDF writes it; keys that are not needed are there too. */
static const char idf[] = /* an editor may have put a byte order mark before it */
    "\xef\xbb\xbf{\"write_flash_args\" : [ \"--flash_mode\", \"dio\", \"--flash_size\", \"2MB\", \"--flash_freq\", \"40m\" ],\n"
    "\"flash_settings\" : {\"flash_mode\": \"dio\", \"flash_size\": \"2MB\", \"flash_freq\": \"40m\"},\n"
    "\"flash_files\" : {\"0x10000\" : \"hello.bin\", \"0x1000\" : \"bootloader/bootloader.bin\"},\n"
    "\"bootloader\" : { \"offset\" : \"0x1000\", \"file\" : \"bootloader/bootloader.bin\", \"encrypted\" : \"%s\" },\n"
    "\"extra_esptool_args\" : {\"after\" : \"hard_reset\", \"before\" : \"default_reset\", \"stub\" : %s, "
    "\"chip\" : \"esp32\"}}";

static void builds(void **state)
{
    (void)state;
    static const struct {
        const char *encrypted, *stub, *yaml, *refused;
    } rows[] = {
        {"false", "true",
         MADE "b/flasher_args.json\nprofile: hello\nchip: esp32\nflash: {mode: dio, freq: 40m, size: 2MB}\n"
              "images:\n" AT("0x1000", "bootloader/bootloader.bin", IMAGE_SHA) AT("0x10000", "hello.bin", IMAGE_SHA),
         NULL},
        {"false", "false",
         MADE "b/flasher_args.json\nprofile: hello\nchip: esp32\nserial: {stub: never}\n"
              "flash: {mode: dio, freq: 40m, size: 2MB}\n"
              "images:\n" AT("0x1000", "bootloader/bootloader.bin", IMAGE_SHA) AT("0x10000", "hello.bin", IMAGE_SHA),
         NULL},
        {"true", "true", NULL, "'bootloader' is to be encrypted, which a profile does not have done\n"},
    };
    for (size_t r = 0; r < T_COUNT(rows); r++) {
        struct import i;
        char json[1000];
        import_init(&i);
        (void)snprintf(json, sizeof json, idf, rows[r].encrypted, rows[r].stub);
        enum fl_err err = import_flasher_args(&i, "b/flasher_args.json", json, strlen(json));
        if (!err) /* the bootloader is the smaller one: the application names the profile */
            for (size_t k = 0; k < i.n; k++)
                i.images[k].size = 0;
        expect(&i, err, rows[r].yaml, rows[r].refused, r);
    }
}

static void broken_builds(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says; /* the start of the refusal */
    } rows[] = {
        {"{", "f is not JSON as ESP-IDF writes it: "},
        {"[]", "f is not JSON as ESP-IDF writes it: not an object"},
        {"{}", "flash_files is missing, expected offsets with their files"},
        {"{\"flash_files\": {\"0x1000\": 1}}", "flash_files['0x1000'] is not text, expected a file"},
        {"{\"flash_files\": {\"here\": \"a\"}}", "'here' is no offset, "},
        {"{\"flash_files\": {}, \"write_flash_args\": [1]}", "write_flash_args[0] is not text, "},
        {"{\"flash_files\": {}, \"write_flash_args\": [\"--encrypt\"]}", "--encrypt cannot be taken over"},
    };
    for (size_t r = 0; r < T_COUNT(rows); r++) {
        struct import i;
        import_init(&i);
        assert_int_equal(import_flasher_args(&i, "f", rows[r].json, strlen(rows[r].json)), FL_FORMAT);
        if (strncmp(fl_buf_text(&i.refused), rows[r].says, strlen(rows[r].says)) != 0)
            fail_msg("row %zu: %s", r, fl_buf_text(&i.refused));
        import_fini(&i);
    }
}

static void merged_images(void **state)
{
    (void)state;
    struct import i;
    uint32_t at = 0x1000;
    import_init(&i);
    expect(&i, import_merged(&i, "dir/one.bin", &at),
           MADE "the merged image dir/one.bin\nprofile: one\nchip: esp32\nimages:\n" AT("0x1000", "dir/one.bin", IMAGE_SHA),
           NULL, 0);
    import_init(&i); /* an image alone may be anything */
    expect(&i, import_merged(&i, "one.bin", NULL), NULL,
           "where 'one.bin' belongs does not show from what it holds, expected an offset (--offset)\n", 1);
}

static void other_formats(void **state)
{
    (void)state;
    struct import i;
    import_init(&i);
    assert_int_equal(import_command_line(&i, "esptool write_flash 0x0 a.hex"), FL_OK);
    assert_int_equal(import_see(&i, 0, (const uint8_t *)":10", 3), FL_FORMAT);
    assert_string_equal(fl_buf_text(&i.refused),
                        "'a.hex' is Intel HEX, which a profile cannot hold; convert it to plain bytes first\n");
    import_fini(&i);
}

static void ways(void **state)
{
    (void)state;
    static const struct {
        const char *folder, *file, *way;
    } rows[] = {
        {"/a/b", "/a/b/c.bin", "c.bin"},     {"/a/b", "/a/b/c/d.bin", "c/d.bin"}, {"/a/b", "/a/c.bin", "../c.bin"},
        {"/a/b", "/a/bc.bin", "../bc.bin"},  {"/a/bc", "/a/b/c.bin", "../b/c.bin"}, {"/a/b", "/c.bin", "../../c.bin"},
        {"/", "/c.bin", "c.bin"},            {"/", "/a/c.bin", "a/c.bin"},        {"/a/b/c", "/a/d/e.bin", "../../d/e.bin"},
        {"/ab/x", "/ac/y.bin", "../../ac/y.bin"},
    };
    for (size_t r = 0; r < T_COUNT(rows); r++) {
        struct fl_buf out = FL_BUF(1000);
        import_relative(rows[r].folder, rows[r].file, &out);
        if (strcmp(fl_buf_text(&out), rows[r].way) != 0)
            fail_msg("row %zu: '%s'", r, fl_buf_text(&out));
        fl_buf_fini(&out);
    }
}

/* Cut at every length and changed at every byte: an answer, and never a comment that ends its line early. */
static void hostile_lines(void **state)
{
    (void)state;
    static const char swaps[] = "\n'\"\\ -#\x01\xff";
    for (size_t r = 0; r < T_COUNT(lines); r++)
        for (size_t at = 0; at < strlen(lines[r].line); at++)
            for (size_t k = 0; k < sizeof swaps; k++) {
                char *line = strdup(lines[r].line);
                struct import i;
                struct fl_buf out = FL_BUF(1 << 16);
                line[at] = swaps[k]; /* the last one cuts */
                import_init(&i);
                enum fl_err err = import_command_line(&i, line);
                if (!err)
                    err = see_all(&i);
                if (!err)
                    err = import_yaml(&i, &out);
                assert_true(err == FL_OK ? i.refused.len == 0 && strstr(fl_buf_text(&out), "\nprofile: ") != NULL
                                         : err == FL_FORMAT && i.refused.len > 0);
                if (!err)
                    assert_int_equal(strncmp(strchr(strchr(fl_buf_text(&out), '\n') + 1, '\n') + 1, "#", 1) == 0 ||
                                         strncmp(strchr(strchr(fl_buf_text(&out), '\n') + 1, '\n') + 1, "profile: ", 9) == 0,
                                     1);
                fl_buf_fini(&out);
                import_fini(&i);
                free(line);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_lines), cmocka_unit_test(builds),        cmocka_unit_test(broken_builds),
        cmocka_unit_test(merged_images), cmocka_unit_test(other_formats), cmocka_unit_test(ways),
        cmocka_unit_test(hostile_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
