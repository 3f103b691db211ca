/* SPDX-License-Identifier: Apache-2.0 */
#include "record/recorder_inside.h"

#include "ledger/start.h"
#include "sign/remote.h"
#include "audit/policy_told.h"
#include "store/db.h"
#include "store/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE_MAX = 1024 }; /* events waiting: 256 slots with a start, a result and some more each */

static enum fl_err open_folder(struct recorder *r, const struct recorder_config *c, bool *created, struct fl_why *why)
{
    enum fl_err err = folder_paths(c->data, &r->folder, why);
    if (err)
        return err;
    if (!folder_there(&r->folder) && !c->create)
        return fl_fail(why, FL_NOT_FOUND, "there is no station in %.300s: flashline init makes one", c->data);
    err = fl_dir_make(c->data, why);
    if (!err)
        err = fl_lock_take(&r->lock, r->folder.lock, why);
    if (err == FL_BUSY)
        return fl_fail(why, err, "another flashline works on %.250s: end it first, or give this one a folder of its own (--data)", c->data);
    if (!err && !fl_path_exists(r->folder.vkey)) {
        const struct folder_new n = {.station = c->station, .passphrase = c->passphrase};
        err = folder_create(&r->folder, &n, why);
        *created = !err;
    }
    return err ? err : folder_identity(&r->folder, r->station, &r->vkey, why);
}

static void tell_folder(const struct recorder *r, struct recorder_opened *opened)
{
    opened->encrypted = folder_key_encrypted(&r->folder);
    vkey_format(&r->vkey, opened->vkey);
    memcpy(opened->origin, r->vkey.name, sizeof r->vkey.name);
    memcpy(opened->station, r->station, sizeof r->station);
}

/* The whole log; then the keys into the places that it gives them. */
static enum fl_err verify_log(struct recorder *r, struct start_found *found, struct recorder_opened *opened, struct fl_why *why)
{
    enum fl_err err = start_verify(&r->folder, r->db, &r->vkey, found, why);
    opened->closed = err == FL_STATE;
    if (!err)
        err = folder_settle(&r->folder, &found->now, why);
    if (err)
        return err;
    r->last_wall = found->last_wall;
    memcpy(opened->promise, found->promise, sizeof opened->promise);
    vkey_format(&found->now, opened->now);
    return FL_OK;
}

static struct signer_place place_of(struct recorder *r, const struct recorder_config *c)
{
    return (struct signer_place){.socket_file = r->folder.signer, .key = r->folder.key, .next = r->folder.next,
                                 .memory = r->folder.memory, .passphrase = c->passphrase, .adopt = c->adopt, .set_clock = c->clock != NULL,
                                 .handover = c->handover, .sent = &r->signer};
}

/* It starts while the log is verified. */
static enum fl_err send_for_signer(struct recorder *r, const struct recorder_config *c, struct fl_why *why)
{
    const struct signer_place place = place_of(r, c);
    return c->signer_apart && !r->hooks.signer && !r->signer ? signer_send_for(&place, &r->signer, why) : FL_OK;
}

static enum fl_err open_log(struct recorder *r, const struct recorder_config *c, struct recorder_opened *opened,
                            struct fl_why *why)
{
    const struct signer_place place = place_of(r, c);
    struct start_found found;
    enum fl_err err = send_for_signer(r, c, why);
    if (!err)
        err = start_database(&r->folder, &r->db, why);
    if (!err)
        err = verify_log(r, &found, opened, why);
    if (!err && !c->signer_apart)
        err = folder_key(&r->folder, c->passphrase, &found.now, &r->key, why);
    if (err)
        return err;
    struct ledger_config l = {.db = r->db, .vkey = &found.now, .signer = &signer_in_process, .signer_config = r->key,
                              .wal_pages = r->hooks.wal_pages};
    if (c->signer_apart) {
        l.signer = &signer_at_place;
        l.signer_config = &place;
    }
    if (r->hooks.signer)
        l.signer = r->hooks.signer;
    if (r->hooks.signer_config)
        l.signer_config = r->hooks.signer_config;
    err = allow_new(r->db, &r->allow, why);
    if (!err)
        err = abridge_new(&r->abridge, why);
    if (!err)
        err = ledger_open(&l, &r->ledger, why);
    if (err == FL_MISMATCH)
        start_keep_refusal(&r->folder, &r->vkey, why->text);
    if (err)
        return err;
    opened->recovered = (unsigned)ledger_recovered(r->ledger);
    /* what was made again counts as any other record: it may have handed the key over, or closed the log */
    if (opened->recovered)
        err = verify_log(r, &found, opened, why);
    if (!err && (err = start_cosigned(&r->folder, r->db, &found, why)) == FL_MISMATCH)
        start_keep_refusal(&r->folder, &r->vkey, why->text);
    return err ? err : outbox_writer_open(r->db, &r->outbox, why);
}

static enum fl_err log_open_body(const struct recorder *r, json_t **out, struct fl_why *why)
{
    char vkey[KEY_VKEY_MAX], promise[65];
    struct vkey next;
    struct fl_buf policy = FL_BUF(POLICY_TOLD_MAX + 1);
    enum fl_err err = settings_policy(&r->folder, &policy, why);
    vkey_format(&r->vkey, vkey);
    /* no key after it is known where the key is not this folder's: then it is never handed over, a new log follows it */
    bool promised = folder_next(&r->folder, &next, NULL) == FL_OK && folder_promise(next.key, promise, NULL) == FL_OK;
    *out = err ? NULL : json_pack("{ss,ss,ss*,sO*,ss}", "origin", r->vkey.name, "vkey", vkey, "next", promised ? promise : NULL,
                                  "previous", r->previous, "policy", fl_buf_text(&policy));
    fl_buf_fini(&policy);
    return err || *out ? err : fl_fail(why, FL_NOMEM, "out of memory");
}

/* `again`: records that a crash had taken from the database and the signer gave back. */
static json_t *boot_body(unsigned again)
{
    char host[256];
    json_t *o = json_object();
    if (gethostname(host, sizeof host) != 0)
        host[0] = 0;
    host[sizeof host - 1] = 0;
    if (o && (fl_json_set_dirty(o, "host", host, strlen(host)) || json_object_set_new(o, "reason", json_string("start")) ||
              json_object_set_new(o, "sends", json_integer(1)) ||
              (again && json_object_set_new(o, "made_again", json_integer(again))))) {
        json_decref(o);
        o = NULL;
    }
    return o;
}

static enum fl_err first_append(struct recorder *r, enum event_kind kind, json_t *body, struct moment now,
                                struct fl_why *why)
{
    int64_t index;
    const char *fault;
    enum fl_err err = body ? recorder_append(r, kind, body, now, &index, &fault, why) : fl_fail(why, FL_NOMEM, "out of memory");
    json_decref(body);
    return err;
}

static enum fl_err append_log_open(struct recorder *r, struct moment now, struct fl_why *why)
{
    json_t *body;
    enum fl_err err = log_open_body(r, &body, why);
    return err ? err : first_append(r, EVENT_LOG_OPEN, body, now, why);
}

/* One commit: log_open when the log is new, boot, whose witnesses are asked for where that has changed, and an end for every
 * attempt that has none. */
static enum fl_err begin_run(struct recorder *r, struct recorder_opened *opened, struct fl_why *why)
{
    json_t *open = NULL, *policy = NULL;
    struct moment now = recorder_now(r);
    bool nothing_to_set = r->clock && now.wall >= r->last_wall;
    enum fl_err err = nothing_to_set ? fl_fail(why, FL_STATE, "the clock is not behind the newest record: there is nothing to set")
                                     : start_interrupted(r->db, &open, why);
    bool new_log = ledger_size(r->ledger) == 0;
    if (!err && !new_log)
        err = settings_policy_changed(r->db, &r->folder, &policy, why);
    if (!err)
        err = ledger_begin(r->ledger, why);
    if (err) {
        json_decref(open);
        json_decref(policy);
        return err;
    }
    r->last_mono = -1;
    r->boot = (int64_t)ledger_size(r->ledger) + (new_log || now.wall < r->last_wall ? 1 : 0);
    if (new_log)
        err = append_log_open(r, now, why);
    if (!err)
        err = first_append(r, EVENT_BOOT, boot_body(opened->recovered), now, why);
    if (!err && policy)
        err = first_append(r, EVENT_CONFIG, json_incref(policy), now, why);
    for (size_t i = 0; !err && i < json_array_size(open); i++)
        err = first_append(r, EVENT_INTERRUPTED, json_incref(json_array_get(open, i)), now, why);
    if (!err)
        err = recorder_commit(r, why);
    if (err)
        ledger_rollback(r->ledger);
    opened->interrupted = (unsigned)json_array_size(open);
    json_decref(open);
    json_decref(policy);
    r->beat_ms = fl_mono_ms();
    return err;
}

static void fini(struct recorder *r)
{
    ledger_close(r->ledger);
    remote_free(r->signer);
    outbox_writer_close(&r->outbox);
    allow_free(r->allow);
    abridge_free(r->abridge);
    /* After a failure, of a sync perhaps, nobody knows which pages of the WAL a disk has: closing must not move them into the
     * database. The next start writes the WAL once more first (ledger/start.c). */
    if (r->db && r->health)
        (void)sqlite3_db_config(r->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(r->db);
    key_free(r->key);
    fl_buf_fini(&r->bytes);
    if (r->queue_on)
        fl_queue_fini(&r->queue);
    (void)pthread_mutex_destroy(&r->health_lock);
    folder_fini(&r->folder);
    fl_lock_drop(&r->lock); /* last: the folder is free when all is shut */
    free(r);
}

static enum fl_err start_thread(struct recorder *r, struct fl_why *why)
{
    enum fl_err err = fl_queue_init(&r->queue, QUEUE_MAX);
    if (err)
        return fl_fail(why, err, "out of memory");
    r->queue_on = true;
    if (pthread_create(&r->thread, NULL, recorder_main, r) != 0)
        return fl_fail(why, FL_NOMEM, "cannot start the recorder's thread");
    r->thread_on = true;
    return FL_OK;
}

static struct recorder *made(const struct recorder_hooks *hooks)
{
    struct recorder *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->lock.fd = -1;
    r->hooks = *hooks;
    r->bytes = FL_BUF(LEAF_BYTES_MAX);
    if (pthread_mutex_init(&r->health_lock, NULL) != 0) {
        free(r);
        return NULL;
    }
    return r;
}

struct recorder *recorder_early(const struct recorder_config *config)
{
    static const struct recorder_hooks none;
    struct recorder_config c = *config;
    struct fl_why why = {0, ""};
    bool created;
    struct recorder *r = made(&none);
    c.create = false; /* somebody who has not read his own files yet makes no station */
    if (r && (open_folder(r, &c, &created, &why) || send_for_signer(r, &c, &why))) {
        fini(r);
        r = NULL;
    }
    return r;
}

void recorder_drop(struct recorder *early)
{
    if (early)
        fini(early);
}

enum fl_err recorder_open_hooked(const struct recorder_config *c, const struct recorder_hooks *hooks,
                                 struct recorder **out, struct recorder_opened *opened, struct fl_why *why)
{
    struct recorder *r = c->early ? c->early : made(hooks);
    enum fl_err err = FL_OK;
    *out = NULL;
    memset(opened, 0, sizeof *opened);
    if (!r)
        return fl_fail(why, FL_NOMEM, "out of memory");
    r->previous = c->previous;
    r->clock = c->clock;
    if (!c->early)
        err = open_folder(r, c, &opened->created, why);
    if (!err) {
        tell_folder(r, opened);
        err = open_log(r, c, opened, why);
    }
    if (!err)
        err = begin_run(r, opened, why);
    r->clock = NULL;
    if (!err)
        err = recorder_mark(r, why);
    if (!err && c->look)
        err = c->look(c->look_ctx, r->db, why);
    if (!err)
        err = start_thread(r, why);
    if (err) {
        r->health = err;
        fini(r);
        return err;
    }
    opened->leaves = (int64_t)ledger_size(r->ledger);
    *out = r;
    return FL_OK;
}

enum fl_err recorder_open(const struct recorder_config *c, struct recorder **out, struct recorder_opened *opened,
                          struct fl_why *why)
{
    static const struct recorder_hooks none;
    return recorder_open_hooked(c, &none, out, opened, why);
}

void recorder_close(struct recorder *r)
{
    struct fl_why why = {0, ""};
    if (!r)
        return;
    atomic_store(&r->closing, true);
    fl_queue_close(&r->queue);
    if (r->thread_on)
        (void)pthread_join(r->thread, NULL);
    if (!r->retired) /* behind a retirement nothing may stand */
        recorder_own_leaf(r, EVENT_LOG_CLOSE);
    if (recorder_health(r, NULL) == FL_OK) {
        enum fl_err err = recorder_mark(r, &why);
        if (!err)
            err = ledger_end(r->ledger, &why);
        if (err)
            recorder_sick(r, err, &why); /* nobody is left to ask; the next opening reads the log itself */
    }
    fini(r);
}
