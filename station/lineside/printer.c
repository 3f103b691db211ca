/* SPDX-License-Identifier: Apache-2.0 */
#include "lineside/printer.h"

#include "base/file.h"
#include "base/hash.h"
#include "line/command.h"
#include "link/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRINTER_MS = 15000, COMMAND_MS = 60000, WORDS_MAX = 40 };

static enum fl_err to_tcp(const char *rest, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why)
{
    char url[LINK_URL_MAX];
    struct link *link = NULL;
    struct fl_deadline d = fl_deadline_in_ms(PRINTER_MS);
    if (snprintf(url, sizeof url, "socket://%s", rest) >= (int)sizeof url)
        return fl_fail(why, FL_FORMAT, "the printer's address is too long");
    enum fl_err err = link_open(url, stop, d, &link, why);
    if (err)
        return err == FL_FORMAT || err == FL_CANCELLED ? err : FL_GONE; /* nobody listening is a printer that is off */
    err = link_write(link, item->bytes, item->n, d);
    if (!err)
        err = link_drain(link, d);
    if (err)
        (void)fl_fail(why, err, "the printer at %s: %s", rest, fl_err_text(err));
    link_close(link);
    return err;
}

static enum fl_err to_command(const char *rest, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why)
{
    char text[PARCEL_TARGET_MAX], output[200], *save = NULL;
    const char *argv[WORDS_MAX];
    size_t n = 0;
    (void)snprintf(text, sizeof text, "%s", rest);
    for (char *w = strtok_r(text, " \t", &save); w && n < WORDS_MAX - 1; w = strtok_r(NULL, " \t", &save))
        argv[n++] = w;
    argv[n] = NULL;
    if (!n)
        return fl_fail(why, FL_FORMAT, "the printer's command is empty");
    const struct command c = {argv, (const char *)item->bytes, item->n, output, sizeof output};
    struct command_end end;
    enum fl_err err = command_run(&c, &end, stop, fl_deadline_in_ms(COMMAND_MS), why);
    return err && err != FL_CANCELLED ? FL_GONE : err; /* whatever a spooler has to say, it may take it later */
}

/* Named by the job and by what it holds. */
static enum fl_err to_folder(const char *rest, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why)
{
    char name[PARCEL_JOB_MAX + 32], hex[2 * FL_SHA256_SIZE + 1];
    uint8_t hash[FL_SHA256_SIZE];
    (void)stop;
    if (fl_sha256(item->bytes, item->n, hash))
        return fl_fail(why, FL_GONE, "the label could not be hashed");
    fl_hex(hash, sizeof hash, hex);
    (void)snprintf(name, sizeof name, "label-%s-%.8s.zpl", item->job, hex);
    for (char *p = name; *p; p++)
        if (*p == ':' || *p == '/')
            *p = '-';
    char *path = fl_path_join(rest, name);
    enum fl_err err = path ? fl_file_replace(path, item->bytes, item->n, 0644, why) : FL_NOMEM;
    free(path);
    return err ? FL_GONE : FL_OK;
}

enum fl_err printer_send(const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why)
{
    static const struct {
        const char *start;
        enum fl_err (*send)(const char *rest, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why);
    } ways[] = {{"tcp://", to_tcp}, {"command:", to_command}, {"dir:", to_folder}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        size_t n = strlen(ways[i].start);
        if (strncmp(item->target, ways[i].start, n) == 0)
            return ways[i].send(item->target + n, item, stop, why);
    }
    return fl_fail(why, FL_FORMAT, "'%.100s' is no printer", item->target);
}
