/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/image_print.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 128 << 20, TEXT_MAX = 4 << 20 }; /* the largest flash */

static const char help[] =
    "usage: flashline image FILE... [--format text|json]\n\n"
    "Says what is in each file and whether it holds together: headers, segments, checksums, appended SHA-256,\n"
    "signatures of secure boot (are they over these bytes?), what applications and bootloaders say about\n"
    "themselves, partition tables with their MD5 row, and all of these inside a merged file. ESP8266 images of\n"
    "both generations are known. Opens no port.\n\n"
    "A problem is certain (a checksum that is wrong, a file cut short, an application larger than its partition);\n"
    "a note may be meant. Places count from the first byte of the file.\n\n"
    "  --format json   one JSON object for each file, one a line\n\n"
    "exit: 0 everything checks, 1 something does not, 2 usage, or a file that cannot be read\n\n"
    "example:\n"
    "  flashline image build/bootloader/bootloader.bin build/app.bin\n";

static int print(const char *path, size_t n, const struct esp_contents *c, enum cli_format format)
{
    struct fl_buf text = FL_BUF(TEXT_MAX);
    enum fl_err err = FL_OK;
    if (format == CLI_JSON_OUT) {
        json_t *o = image_json(path, n, c);
        err = o ? fl_json_canonical(o, &text, NULL) : FL_NOMEM;
        json_decref(o);
    } else {
        image_text(path, n, c, &text);
    }
    if (!err)
        err = fl_buf_err(&text, NULL);
    if (!err && format == CLI_JSON_OUT)
        puts(fl_buf_text(&text));
    else if (!err)
        cli_print("%s", fl_buf_text(&text));
    fl_buf_fini(&text);
    if (err)
        return cli_fail(CLI_STATION, "%s: what is in it cannot be printed: %s", path, fl_err_text(err));
    return c->sound && !c->more ? CLI_OK : CLI_NOT_PASS;
}

/* `shown`: something is printed already. */
static int one_file(const char *path, enum cli_format format, bool *shown)
{
    struct fl_buf bytes = FL_BUF(FILE_MAX);
    struct fl_why why = {0};
    struct esp_contents *c = calloc(1, sizeof *c);
    enum fl_err err = c ? fl_file_read(path, &bytes, &why) : FL_NOMEM;
    int code;
    if (err == FL_NOMEM) {
        code = cli_fail(CLI_STATION, "out of memory");
    } else if (err) {
        code = cli_fail(CLI_USAGE, "%s", why.text);
    } else {
        esp_contents_read(bytes.bytes, bytes.len, c);
        if (*shown && format == CLI_TEXT_OUT)
            putchar('\n');
        *shown = true;
        code = print(path, bytes.len, c, format);
    }
    fl_buf_fini(&bytes);
    free(c);
    return code;
}

static int run(int argc, char **argv)
{
    const char *format = NULL;
    const struct cli_opt options[] = {{"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    bool done, shown = false;
    int code = cli_options(&cmd_image, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc == 0)
        return cli_usage(&cmd_image, "which FILE?");
    if (cli_format(format) < 0)
        return cli_usage(&cmd_image, "--format is '%s', expected text or json", format);
    for (int i = 0; i < argc; i++) {
        int one = one_file(argv[i], (enum cli_format)cli_format(format), &shown);
        code = one > code ? one : code;
    }
    return code;
}

const struct cli_verb cmd_image = {"image", "what is in an image file, and whether it is sound", help, run};
