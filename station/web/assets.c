/* SPDX-License-Identifier: Apache-2.0 */
#include "web/inside.h"

#include <stdlib.h>
#include <string.h>

static const char *type_of(const char *name)
{
    static const struct {
        const char *end, *type;
    } row[] = {
        {".html", "text/html; charset=utf-8"},       {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},   {".json", "application/json"},
        {".svg", "image/svg+xml"},                   {".webmanifest", "application/manifest+json"},
    };
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        size_t k = strlen(row[i].end);
        if (n > k && strcmp(name + n - k, row[i].end) == 0)
            return row[i].type;
    }
    return "application/octet-stream";
}

enum fl_err assets_open(struct web_assets *a)
{
    while (fl_embedded_web[a->n].name)
        a->n++;
    a->list = calloc(a->n + 1, sizeof *a->list);
    for (size_t i = 0; a->list && i < a->n; i++) {
        uint8_t hash[FL_SHA256_SIZE];
        struct web_asset *f = &a->list[i];
        f->file = &fl_embedded_web[i];
        f->type = type_of(f->file->name);
        if (fl_sha256(f->file->bytes, f->file->size, hash))
            return FL_NOMEM;
        f->etag[0] = f->etag[17] = '"';
        char hex[2 * 8 + 1];
        fl_hex(hash, 8, hex);
        memcpy(f->etag + 1, hex, 16);
    }
    return a->list ? FL_OK : FL_NOMEM;
}

void assets_close(struct web_assets *a)
{
    free(a->list);
    *a = (struct web_assets){NULL, 0};
}

/* Every page is asked for again with its tag, so that a new program never meets an old page. */
void assets_reply(struct web_request *q, const char *name)
{
    const struct web_assets *a = &q->web->assets;
    for (size_t i = 0; i < a->n; i++) {
        const struct web_asset *f = &a->list[i];
        if (strcmp(f->file->name, name) != 0)
            continue;
        q->reply.type = f->type;
        q->reply.etag = f->etag;
        q->reply.status = strcmp(request_header(q, "If-None-Match"), f->etag) == 0 ? 304 : 200;
        q->reply.fixed = q->reply.status == 200 ? (const char *)f->file->bytes : "";
        q->reply.fixed_n = q->reply.status == 200 ? f->file->size : 0;
        return;
    }
    reply_error(&q->reply, 404, "unknown", "there is no such file");
}
