/* SPDX-License-Identifier: Apache-2.0
 * A station's signer, wherever its folder says that it is. */
#include "base/file.h"
#include "sign/memory.h"
#include "sign/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES_MAX = 4096 };

static enum fl_err connect_named(const char *file, struct remote **out, struct fl_why *why)
{
    struct fl_buf line = FL_BUF(PATH_BYTES_MAX);
    enum fl_err err = fl_file_read(file, &line, why);
    if (!err) {
        if (line.len && line.bytes[line.len - 1] == '\n')
            line.bytes[--line.len] = 0;
        err = remote_connect(fl_buf_text(&line), out, why);
    }
    fl_buf_fini(&line);
    return err;
}

static bool at_socket(const struct signer_place *p)
{
    return p->socket_file && fl_path_exists(p->socket_file);
}

static struct remote_child child_of(const struct signer_place *p)
{
    return (struct remote_child){.key = p->key, .next = p->handover ? p->next : NULL, .memory = p->memory,
                                 .passphrase = p->passphrase, .adopt = p->adopt, .set_clock = p->set_clock};
}

enum fl_err signer_send_for(const struct signer_place *p, struct remote **out, struct fl_why *why)
{
    *out = NULL;
    if (at_socket(p))
        return FL_OK;
    struct remote_child c = child_of(p);
    return remote_spawn(&c, out, why);
}

/* The one that was sent for, or a child that is started now. */
static enum fl_err meet(const struct signer_place *p, const struct remote_child *c, struct remote **out, struct fl_why *why)
{
    if (!p->sent || !*p->sent)
        return remote_start(c, out, why);
    *out = *p->sent;
    *p->sent = NULL;
    enum fl_err err = remote_greet(*out, why);
    if (err) {
        remote_free(*out);
        *out = NULL;
    }
    return err;
}

/* The connection alone. */
static enum fl_err reach(const struct signer_place *p, struct remote **out, struct fl_why *why)
{
    *out = NULL;
    if (at_socket(p))
        return connect_named(p->socket_file, out, why);
    struct remote_child c = child_of(p);
    enum fl_err err = meet(p, &c, out, why);
    /* a crash in a hand-over: the memory names the next key already, whose file still lies where it lay */
    if (err == FL_MISMATCH && !c.next && p->next && fl_path_exists(p->next)) {
        c.next = p->next;
        err = remote_start(&c, out, why);
    }
    return err;
}

void signer_look(const struct signer_place *p, struct remembered *out)
{
    enum { ANSWER_MS = 3000 }; /* it may be at work with its station, for days */
    struct fl_why why = {0, ""};
    struct remote *r;
    if (!at_socket(p)) {
        memory_look(p->memory, out);
        return;
    }
    enum fl_err err = connect_named(p->socket_file, &r, &why);
    if (!err) {
        err = remote_heads(r, ANSWER_MS, out, &why);
        remote_free(r);
    }
    if (err == FL_TIMEOUT)
        err = fl_fail(&why, err, "it is at work with its station");
    if (err)
        *out = (struct remembered){.known = REMEMBERED_CLOSED};
    if (err)
        (void)snprintf(out->why, sizeof out->why, "%.190s", why.text);
}

static enum fl_err place_open(const void *config, const struct checkpoint *last, struct fl_buf *redo, struct signer **out,
                              struct fl_why *why)
{
    struct remote *r;
    *out = NULL;
    enum fl_err err = reach(config, &r, why);
    if (err)
        return err;
    err = signer_remote.open(&r, last, redo, out, why);
    if (err)
        remote_free(r);
    return err;
}

static enum fl_err place_sign(struct signer *s, const struct signer_request *r, uint8_t out[static KEY_SIGNATURE],
                              struct fl_why *why)
{
    return signer_remote.sign(s, r, out, why);
}

static enum fl_err place_settled(struct signer *s, struct fl_why *why)
{
    return signer_remote.settled(s, why);
}

static enum fl_err place_there(struct signer *s, struct fl_why *why)
{
    return signer_remote.there(s, why);
}

static void place_close(struct signer *s)
{
    remote_free((struct remote *)(void *)s);
}

const struct signer_kind signer_at_place = {"process", place_open, place_sign, place_close, true, place_settled, place_there};
