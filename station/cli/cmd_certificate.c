/* SPDX-License-Identifier: Apache-2.0
 * One unit's birth certificate, from the station's folder. Reads only. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/json.h"
#include "prove/certificate.h"
#include "prove/certificate_page.h"
#include "store/db.h"
#include "store/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_certificate(int argc, char **argv);

const struct cli_verb cmd_certificate = {
    .name = "certificate",
    .line = "a unit's birth certificate: one file that proves itself",
    .help =
        "usage: flashline certificate MAC [-o FILE] [options]\n"
        "       flashline certificate --record N [-o FILE] [options]\n"
        "\n"
        "  -o FILE             where to write it (default: standard output)\n"
        "  --format text|html|json\n"
        "                      text: the certificate itself (C2SP tlog-proof): the record, the path to the root of the signed\n"
        "                      log, the signed head; below 2 KB also in a log of ten million records. html: a page that\n"
        "                      prints on A4, with the same file as a QR code. json: the same as text,\n"
        "                      with its size and the record's number\n"
        "  --record N          any record, by its number in the log\n"
        "  --data DIR          the station's folder (default $XDG_DATA_HOME/flashline, else ~/.local/share/flashline).\n"
        "                      A station may be at work in it\n"
        "\n"
        "It certifies the unit's newest PASS and says exactly this: record N of this log is this, under this head. Keep it with\n"
        "the unit: it also pins the log's history, since a log that was written anew no longer fits it. To check it:\n"
        "flashline verify, or flashline-verify on a machine without a station.\n"
        "\n"
        "exit: 0 written, 1 the unit was never seen or never passed, 2 usage, 3 the records could not be read\n"
        "\n"
        "example:\n"
        "  flashline certificate 24:6f:28:aa:bb:cc -o 246f28aabbcc.tlog-proof\n",
    .run = run_certificate,
};

struct wish {
    const char *data, *mac, *record, *file, *format;
};

static enum fl_err read_proof(const struct wish *w, const char *dir, struct fl_buf *proof, int64_t *index, struct fl_why *why)
{
    struct folder f;
    struct db_reader reader = {NULL, NULL, NULL};
    enum fl_err err = folder_paths(dir, &f, why);
    if (err)
        return err;
    err = fl_path_exists(f.db) ? db_open_reader(f.db, false, &reader, why) : fl_fail(why, FL_GONE, "there is no %.300s", f.db);
    if (!err)
        err = db_exec(reader.db, "BEGIN", why);
    if (!err && w->mac)
        err = certificate_of_unit(reader.db, w->mac, index, why);
    if (!err)
        err = certificate_best(reader.db, dir, *index, proof, why);
    db_close_reader(&reader);
    folder_fini(&f);
    return err;
}

static enum fl_err as_json(const struct fl_buf *proof, int64_t index, struct fl_buf *out, struct fl_why *why)
{
    json_t *o = json_pack("{sI,sI,ss}", "record", (json_int_t)index, "bytes", (json_int_t)proof->len, "certificate", fl_buf_text(proof));
    return fl_json_write(o, JSON_INDENT(2), out) ? fl_fail(why, FL_NOMEM, "out of memory") : FL_OK;
}

static enum fl_err make(const struct wish *w, const char *dir, int64_t index, struct fl_buf *out, struct fl_why *why)
{
    struct fl_buf proof = FL_BUF(256 << 10);
    enum fl_err err = read_proof(w, dir, &proof, &index, why);
    if (!err && strcmp(w->format, "html") == 0)
        err = certificate_page(&proof, out, why);
    else if (!err && strcmp(w->format, "json") == 0)
        err = as_json(&proof, index, out, why);
    else if (!err)
        fl_buf_add(out, proof.bytes, proof.len);
    fl_buf_fini(&proof);
    return err ? err : fl_buf_err(out, why);
}

static int certificate(const struct wish *w, int64_t index)
{
    struct fl_why why = {0, ""};
    struct fl_buf out = FL_BUF(8 << 20);
    int code = CLI_OK;
    char *dir = cli_data_dir(w->data);
    enum fl_err err = dir ? make(w, dir, index, &out, &why) : fl_fail(&why, FL_NOMEM, "out of memory");
    if (err)
        code = cli_fail(err == FL_NOT_FOUND ? CLI_NOT_PASS : err == FL_ARG ? CLI_USAGE : CLI_STATION, "%s", why.text);
    else if (w->file && fl_file_replace(w->file, out.bytes, out.len, 0644, &why))
        code = cli_fail(CLI_STATION, "%s", why.text);
    else if (!w->file && (fwrite(out.bytes, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
        code = cli_fail(CLI_STATION, "the certificate could not be written out");
    fl_buf_fini(&out);
    free(dir);
    return code;
}

static int run_certificate(int argc, char **argv)
{
    struct wish w = {.format = "text"};
    char *end = NULL;
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &w.data}, {"o", CLI_TEXT, &w.file},          {"record", CLI_TEXT, &w.record},
        {"format", CLI_TEXT, &w.format}, {NULL, CLI_FLAG, NULL},
    };
    int code = cli_options(&cmd_certificate, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != (w.record ? 0 : 1))
        return cli_usage(&cmd_certificate, w.record ? "a MAC or --record, not both" : argc ? "one MAC at a time" : "which MAC?");
    if (strcmp(w.format, "text") != 0 && strcmp(w.format, "html") != 0 && strcmp(w.format, "json") != 0)
        return cli_usage(&cmd_certificate, "--format is text, html or json, not '%s'", w.format);
    long long index = w.record ? strtoll(w.record, &end, 10) : 0;
    if (w.record && (*w.record < '0' || *w.record > '9' || *end || end - w.record > 18)) /* more would be clamped */
        return cli_usage(&cmd_certificate, "--record needs a number, not '%s'", w.record);
    w.mac = w.record ? NULL : argv[0];
    return certificate(&w, index);
}
