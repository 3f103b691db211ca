/* SPDX-License-Identifier: Apache-2.0
 * PKCS#11 by hand: a dozen functions of one library, so that no other library stands between the log and its key. */
#include "sign/token.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is needed of the standard's C declarations -------------------------------------------------------- */

typedef unsigned long ck_ulong;
typedef ck_ulong ck_rv;

enum {
    CKR_OK = 0, CKR_PIN_INCORRECT = 0xa0, CKR_PIN_LOCKED = 0xa4, CKR_USER_ALREADY_LOGGED_IN = 0x100,
    CKR_ALREADY_INITIALIZED = 0x191,
    CKF_SERIAL_SESSION = 4, CKU_USER = 1,
    CKO_PUBLIC_KEY = 2, CKO_PRIVATE_KEY = 3,
    CKA_CLASS = 0, CKA_LABEL = 3, CKA_EC_POINT = 0x181,
    CKM_EDDSA = 0x1057,
    SLOTS_MAX = 64,
};

struct ck_attribute {
    ck_ulong type;
    void *value;
    ck_ulong len;
};
struct ck_mechanism {
    ck_ulong mechanism;
    void *parameter;
    ck_ulong len;
};
struct ck_token_info {
    uint8_t label[32], manufacturer[32], model[16], serial[16];
    ck_ulong numbers[11];
    uint8_t versions[4], time[16];
};
/* Places of functions in the module's list, in the order of the standard. */
enum {
    C_INITIALIZE, C_GET_SLOT_LIST = 4, C_GET_TOKEN_INFO = 6, C_OPEN_SESSION = 12, C_CLOSE_SESSION, C_LOGIN = 18,
    C_GET_ATTRIBUTE = 24, C_FIND_INIT = 26, C_FIND, C_FIND_FINAL, C_SIGN_INIT = 42, C_SIGN, C_COUNT = 68,
};
typedef void (*ck_function)(void);
struct ck_list {
    uint8_t version[2];
    ck_function f[C_COUNT];
};

typedef ck_rv (*ck_get_list)(struct ck_list **out);
typedef ck_rv (*ck_initialize)(void *args);
typedef ck_rv (*ck_get_slots)(uint8_t present, ck_ulong *slots, ck_ulong *n);
typedef ck_rv (*ck_get_token)(ck_ulong slot, struct ck_token_info *out);
typedef ck_rv (*ck_open_session)(ck_ulong slot, ck_ulong flags, void *app, void *notify, ck_ulong *session);
typedef ck_rv (*ck_session)(ck_ulong session);
typedef ck_rv (*ck_login)(ck_ulong session, ck_ulong user, const uint8_t *pin, ck_ulong n);
typedef ck_rv (*ck_attributes)(ck_ulong session, ck_ulong object, struct ck_attribute *list, ck_ulong n);
typedef ck_rv (*ck_find_init)(ck_ulong session, struct ck_attribute *list, ck_ulong n);
typedef ck_rv (*ck_find)(ck_ulong session, ck_ulong *objects, ck_ulong max, ck_ulong *n);
typedef ck_rv (*ck_sign_init)(ck_ulong session, struct ck_mechanism *m, ck_ulong key);
typedef ck_rv (*ck_sign)(ck_ulong session, const uint8_t *data, ck_ulong n, uint8_t *out, ck_ulong *out_n);

struct token {
    void *library;
    struct ck_list *list;
    bool session_open;
    ck_ulong session, key;
    uint8_t public[KEY_PUBLIC];
};

/* ---- the file ------------------------------------------------------------------------------------------------ */

static const char first_word[] = "pkcs11 ";

bool token_describes(const void *text, size_t n)
{
    return n > sizeof first_word - 1 && memcmp(text, first_word, sizeof first_word - 1) == 0;
}

/* The rest of the line that begins with `word`. */
static bool line_of(const char *text, const char *word, char *out, size_t cap)
{
    size_t w = strlen(word);
    for (const char *p = text; p; p = strchr(p, '\n')) {
        p += *p == '\n';
        size_t n = strcspn(p, "\n");
        if (n > w && strncmp(p, word, w) == 0 && n - w < cap) {
            memcpy(out, p + w, n - w);
            out[n - w] = 0;
            return true;
        }
        if (!*p)
            break;
    }
    return false;
}

enum fl_err token_parse(const void *bytes, size_t n, struct token_place *out, struct fl_why *why)
{
    char text[2048];
    if (n >= sizeof text || memchr(bytes, 0, n))
        return fl_fail(why, FL_FORMAT, "not the description of a token");
    memcpy(text, bytes, n);
    text[n] = 0;
    if (!line_of(text, first_word, out->module, sizeof out->module) || !line_of(text, "token ", out->token, sizeof out->token) ||
        !line_of(text, "object ", out->object, sizeof out->object) || out->module[0] != '/')
        return fl_fail(why, FL_FORMAT, "a token is described by three lines: pkcs11 /path/of/module, token LABEL, object LABEL");
    return FL_OK;
}

void token_format(const char *module, const char *token, const char *object, struct fl_buf *out)
{
    fl_buf_addf(out, "%s%s\ntoken %s\nobject %s\n", first_word, module, token, object);
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

#define CALL(t, type, at) ((type)(t)->list->f[at])

static enum fl_err failed(struct fl_why *why, const char *what, ck_rv rv)
{
    return fl_fail(why, FL_IO, "the token refused to %s (PKCS#11 error 0x%lx)", what, rv);
}

static enum fl_err load(struct token *t, const char *module, struct fl_why *why)
{
    ck_get_list get;
    t->library = dlopen(module, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!t->library)
        return fl_fail(why, FL_NOT_FOUND, "%.300s", dlerror());
    void *symbol = dlsym(t->library, "C_GetFunctionList");
    if (!symbol)
        return fl_fail(why, FL_UNSUPPORTED, "%.200s is no PKCS#11 module", module);
    memcpy(&get, &symbol, sizeof get); /* POSIX: a function's address as dlsym gives it */
    ck_rv rv = get(&t->list);
    if (rv == CKR_OK)
        rv = CALL(t, ck_initialize, C_INITIALIZE)(NULL);
    return rv == CKR_OK || rv == CKR_ALREADY_INITIALIZED ? FL_OK : failed(why, "start", rv);
}

/* Labels are padded with blanks to 32 bytes. */
static bool label_is(const uint8_t label[32], const char *want)
{
    char padded[33];
    (void)snprintf(padded, sizeof padded, "%-32s", want);
    return memcmp(padded, label, 32) == 0;
}

static enum fl_err find_slot(struct token *t, const char *label, ck_ulong *slot, struct fl_why *why)
{
    ck_ulong slots[SLOTS_MAX], n = SLOTS_MAX;
    ck_rv rv = CALL(t, ck_get_slots, C_GET_SLOT_LIST)(1, slots, &n);
    if (rv != CKR_OK)
        return failed(why, "list its slots", rv);
    for (ck_ulong i = 0; i < n; i++) {
        struct ck_token_info info;
        if (CALL(t, ck_get_token, C_GET_TOKEN_INFO)(slots[i], &info) == CKR_OK && label_is(info.label, label)) {
            *slot = slots[i];
            return FL_OK;
        }
    }
    return fl_fail(why, FL_NOT_FOUND, "there is no token labelled '%s'", label);
}

static enum fl_err log_in(struct token *t, ck_ulong slot, const char *pin, struct fl_why *why)
{
    ck_rv rv = CALL(t, ck_open_session, C_OPEN_SESSION)(slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session);
    if (rv != CKR_OK)
        return failed(why, "open a session", rv);
    t->session_open = true;
    if (!pin)
        return fl_fail(why, FL_ACCESS, "the token needs its PIN and none was given");
    rv = CALL(t, ck_login, C_LOGIN)(t->session, CKU_USER, (const uint8_t *)pin, strlen(pin));
    if (rv == CKR_PIN_INCORRECT)
        return fl_fail(why, FL_ACCESS, "the PIN does not open the token");
    if (rv == CKR_PIN_LOCKED)
        return fl_fail(why, FL_ACCESS, "the token is locked after too many wrong PINs");
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN ? FL_OK : failed(why, "log in", rv);
}

static enum fl_err find_object(struct token *t, ck_ulong class, const char *label, ck_ulong *object, struct fl_why *why)
{
    char name[128];
    ck_ulong found[2], n = 0;
    (void)snprintf(name, sizeof name, "%s", label);
    struct ck_attribute want[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, name, strlen(name)}};
    ck_rv rv = CALL(t, ck_find_init, C_FIND_INIT)(t->session, want, 2);
    if (rv == CKR_OK) {
        rv = CALL(t, ck_find, C_FIND)(t->session, found, 2, &n);
        (void)CALL(t, ck_session, C_FIND_FINAL)(t->session);
    }
    if (rv != CKR_OK)
        return failed(why, "look for the key", rv);
    if (n != 1)
        return fl_fail(why, FL_NOT_FOUND, "the token has %s %s key labelled '%s'", n ? "more than one" : "no",
                       class == CKO_PUBLIC_KEY ? "public" : "private", label);
    *object = found[0];
    return FL_OK;
}

/* CKA_EC_POINT is the key in an OCTET STRING (04 20 and 32 bytes); some modules give the 32 bytes bare. */
static enum fl_err read_public(struct token *t, ck_ulong object, struct fl_why *why)
{
    uint8_t point[80];
    struct ck_attribute a = {CKA_EC_POINT, point, sizeof point};
    ck_rv rv = CALL(t, ck_attributes, C_GET_ATTRIBUTE)(t->session, object, &a, 1);
    if (rv != CKR_OK)
        return failed(why, "show the public key", rv);
    if (a.len == KEY_PUBLIC + 2 && point[0] == 4 && point[1] == KEY_PUBLIC)
        memcpy(t->public, point + 2, KEY_PUBLIC);
    else if (a.len == KEY_PUBLIC)
        memcpy(t->public, point, KEY_PUBLIC);
    else
        return fl_fail(why, FL_UNSUPPORTED, "the key in the token is not an Ed25519 key");
    return FL_OK;
}

static enum fl_err sign_by_token(void *ctx, const void *text, size_t n, uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    struct token *t = ctx;
    struct ck_mechanism eddsa = {CKM_EDDSA, NULL, 0};
    ck_ulong len = KEY_SIGNATURE;
    ck_rv rv = CALL(t, ck_sign_init, C_SIGN_INIT)(t->session, &eddsa, t->key);
    if (rv == CKR_OK)
        rv = CALL(t, ck_sign, C_SIGN)(t->session, text, n, out, &len);
    if (rv != CKR_OK)
        return failed(why, "sign", rv);
    return len == KEY_SIGNATURE ? FL_OK : fl_fail(why, FL_IO, "the token gave a signature of %lu bytes", len);
}

static void close_token(void *ctx)
{
    struct token *t = ctx;
    if (t->session_open)
        (void)CALL(t, ck_session, C_CLOSE_SESSION)(t->session);
    /* no C_Finalize: it would end the next key's session too, which may lie in the same module */
    if (t->library)
        (void)dlclose(t->library);
    free(t);
}

enum fl_err token_open(const struct token_place *place, const char *pin, struct seal *out, struct fl_why *why)
{
    ck_ulong slot = 0, public = 0;
    uint8_t probe[KEY_SIGNATURE];
    struct token *t = calloc(1, sizeof *t);
    *out = (struct seal){.ctx = NULL};
    if (!t)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = load(t, place->module, why);
    if (!err)
        err = find_slot(t, place->token, &slot, why);
    if (!err)
        err = log_in(t, slot, pin, why);
    if (!err)
        err = find_object(t, CKO_PRIVATE_KEY, place->object, &t->key, why);
    if (!err)
        err = find_object(t, CKO_PUBLIC_KEY, place->object, &public, why);
    if (!err)
        err = read_public(t, public, why);
    /* do the two halves belong together, and is it the Ed25519 that we mean? */
    if (!err)
        err = sign_by_token(t, "flashline", 9, probe, why);
    if (!err && vkey_verify(t->public, "flashline", 9, probe) != FL_OK)
        err = fl_fail(why, FL_UNSUPPORTED, "what the token signs does not verify with its public key as Ed25519");
    if (err) {
        close_token(t);
        return err;
    }
    *out = (struct seal){.ctx = t, .sign = sign_by_token, .close = close_token};
    memcpy(out->public, t->public, KEY_PUBLIC);
    return FL_OK;
}
