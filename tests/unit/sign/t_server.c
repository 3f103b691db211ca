/* SPDX-License-Identifier: Apache-2.0
 * sign/server, sign/remote: a keeper asked over a socket says what it says here. */
#include "unit/t.h"

#include "sign/remote.h"
#include "sign/server.h"
#include "unit/sign/keeper.h"

#include <pthread.h>

/* ---- the same over a socket -------------------------------------------------------------------------------------- */

struct t_server {
    struct t_keeper *t;
    char path[100];
    struct fl_wake stop, ready;
    pthread_t thread;
};

static void is_ready(void *ctx)
{
    fl_wake_raise(ctx);
}

static void *serve(void *ctx)
{
    struct t_server *s = ctx;
    struct fl_why why = {0, ""};
    if (server_listen(s->t->k, s->path, &s->stop, is_ready, &s->ready, &why))
        fprintf(stderr, "server: %s\n", why.text);
    return NULL;
}

static void serve_start(struct t_server *s)
{
    (void)snprintf(s->path, sizeof s->path, "%s/socket", s->t->dir);
    assert_int_equal(fl_wake_init(&s->stop, NULL), FL_OK);
    assert_int_equal(fl_wake_init(&s->ready, NULL), FL_OK);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    assert_int_equal(fl_wake_sleep(&s->ready, fl_deadline_in_ms(30000)), FL_CANCELLED);
}

static void serve_end(struct t_server *s)
{
    fl_wake_raise(&s->stop);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    fl_wake_fini(&s->stop);
    fl_wake_fini(&s->ready);
}

/* A station whose newest head is `d`: what it is told, and it stays connected when it is let in. */
static enum fl_err station_comes(struct t_server *s, struct checkpoint d, struct remote **r, struct signer **out, struct fl_why *why)
{
    assert_int_equal(remote_connect(s->path, r, why), FL_OK);
    enum fl_err err = signer_remote.open(r, &d, &s->t->given, out, why);
    if (err)
        remote_free(*r);
    return err;
}

static void over_a_socket(void **state)
{
    struct t_keeper *t = *state;
    struct t_server s = {.t = t};
    struct remote *r;
    struct signer *signer;
    struct fl_why why = {0, ""};
    struct checkpoint c;
    uint8_t sig[KEY_SIGNATURE], again[KEY_SIGNATURE];
    serve_start(&s);
    assert_int_equal(station_comes(&s, head(0), &r, &signer, &why), FL_OK);
    struct signer_request q = request(t, 0, 3);
    assert_int_equal(signer_remote.sign(signer, &q, sig, NULL), FL_OK);
    q = request(t, 3, 7);
    assert_int_equal(signer_remote.sign(signer, &q, sig, NULL), FL_OK);
    assert_true(good(t, 7, sig, 0x20));

    struct remembered heard, there;
    struct remote *auditor;
    assert_int_equal(remote_connect(s.path, &auditor, &why), FL_OK); /* one at a time: whoever comes to look waits for the station */
    assert_int_equal(remote_heads(auditor, 200, &heard, &why), FL_TIMEOUT);
    remote_free(auditor);
    assert_int_equal(remote_heads(r, 30000, &heard, &why), FL_OK);
    memory_look(t->memory, &there);
    assert_int_equal(heard.known, REMEMBERED_TOLD);
    assert_string_equal(heard.origin, there.origin);
    assert_int_equal(heard.n, 3);
    assert_int_equal(there.n, 3);
    for (size_t i = 0; i < heard.n; i++) {
        assert_int_equal(heard.head[i].size, there.head[i].size);
        assert_int_equal(heard.head[i].before_size, there.head[i].before_size);
        assert_memory_equal(heard.head[i].root.b, there.head[i].root.b, 32);
        assert_memory_equal(heard.head[i].before_root.b, there.head[i].before_root.b, 32);
        assert_memory_equal(heard.head[i].public, there.head[i].public, KEY_PUBLIC);
        assert_memory_equal(heard.head[i].signature, there.head[i].signature, KEY_SIGNATURE);
        assert_int_equal(heard.head[i].is_signed, there.head[i].is_signed);
    }

    q = request(t, 3, 8); /* a fork of what it signed last */
    assert_int_equal(signer_remote.sign(signer, &q, again, &why), FL_MISMATCH);
    q = request(t, 7, 9);
    q.new_root = head(10).root;
    assert_int_equal(signer_remote.sign(signer, &q, again, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "does not continue"));
    t->now -= 120001; /* a clock that runs backwards */
    q = request(t, 7, 9);
    assert_int_equal(signer_remote.sign(signer, &q, again, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "120 s behind"));
    t->now += 120001;
    q.handover = again; /* it was started without a next key */
    q.handover_to = public_of(0x21);
    assert_int_equal(signer_remote.sign(signer, &q, again, &why), FL_STATE);
    remote_free(r); /* it goes without a word: a crash */

    assert_int_equal(remote_connect(s.path, &r, &why), FL_OK); /* who has not said which log is his, and where it ends, settles nothing */
    assert_int_equal(signer_remote.settled((struct signer *)(void *)r, &why), FL_STATE);
    remote_free(r);

    assert_int_equal(station_comes(&s, head(2), &r, &signer, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "ROLLBACK"));
    assert_int_equal(station_comes(&s, head(9), &r, &signer, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "put back"));
    c = head(7);
    c.root.b[0] ^= 1;
    assert_int_equal(station_comes(&s, c, &r, &signer, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "FORK"));
    c = head(7);
    (void)strcpy(c.origin, "another");
    assert_int_equal(station_comes(&s, c, &r, &signer, &why), FL_MISMATCH);

    assert_int_equal(station_comes(&s, head(3), &r, &signer, &why), FL_OK); /* its commit of 7 never came */
    assert_string_equal(fl_buf_text(&t->given), "from 3 to 7");
    q = request(t, 3, 7);
    assert_int_equal(signer_remote.sign(signer, &q, again, NULL), FL_OK);
    assert_memory_equal(sig, again, sizeof sig);
    assert_int_equal(signer_remote.settled(signer, NULL), FL_OK); /* an orderly end */
    remote_free(r);
    assert_int_equal(station_comes(&s, head(3), &r, &signer, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "ROLLBACK"));
    assert_int_equal(station_comes(&s, head(7), &r, &signer, &why), FL_OK);
    remote_free(r);
    serve_end(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(over_a_socket),
    };
    return cmocka_run_group_tests(tests, leaves_make, leaves_forget);
}
