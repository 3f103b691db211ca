/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/schema.h"

#include "base/file.h"
#include "profile/values.h"

#include <stdlib.h>
#include <string.h>

enum { WHERE_MAX = 120, PHRASE_MAX = 1500, QUOTE_MAX = 60 };

/* ---- reading ----------------------------------------------------------------------------------- */

struct level { /* where we are, for sentences: "serial.", "images[2]." */
    struct critic *c;
    char where[WHERE_MAX];
};

/* "serial.baud is '92160O', expected ...". `is` NULL: quote the text. `expected` NULL: what the row says. */
static void wrong(struct level *l, const struct key *k, const struct node *n, const char *is,
                  const char *expected)
{
    struct fl_buf phrase = FL_BUF(PHRASE_MAX), quote = FL_BUF(PHRASE_MAX);
    if (expected)
        fl_buf_adds(&phrase, expected);
    else
        schema_expected(k, &phrase);
    if (!is)
        fl_buf_addf(&quote, "'%.*s%s'", QUOTE_MAX, n->text, strlen(n->text) > QUOTE_MAX ? "..." : "");
    critic_problem(l->c, n->at, "%s%s is %s, expected %s", l->where, k->name, is ? is : fl_buf_text(&quote),
                   fl_buf_text(&phrase));
    fl_buf_fini(&phrase);
    fl_buf_fini(&quote);
}

static const char *const kind_names[] = {[NODE_TEXT] = "text", [NODE_LIST] = "a list", [NODE_MAP] = "a mapping"};

/* True when the node is of the kind that the key needs; complains otherwise. */
static bool is_kind(struct level *l, const struct key *k, const struct node *n)
{
    enum node_kind need = k->type == KEY_MAP                            ? NODE_MAP
                          : k->type == KEY_LIST || k->type == KEY_SPEEDS || k->type == KEY_TEXTS ? NODE_LIST
                                                                         : NODE_TEXT;
    if (n->kind == NODE_REFUSED)
        return false;
    if (n->kind == NODE_TEXT && !n->text[0] && !n->quoted) {
        wrong(l, k, n, "empty", NULL);
        return false;
    }
    if (n->kind == need)
        return true;
    wrong(l, k, n, kind_names[n->kind], NULL);
    return false;
}

static void read_level(struct level *l, const struct key *keys, const struct node *map, char *into);

static struct level below(const struct level *l, const char *name, size_t index, bool indexed)
{
    struct level b = {.c = l->c};
    struct fl_buf where = FL_BUF(WHERE_MAX - 1);
    fl_buf_adds(&where, l->where);
    fl_buf_adds(&where, name);
    if (indexed)
        fl_buf_addf(&where, "[%zu]", index);
    fl_buf_addc(&where, '.');
    (void)strncpy(b.where, fl_buf_text(&where), sizeof b.where - 1);
    fl_buf_fini(&where);
    return b;
}

static void read_speeds(struct level *l, const struct key *k, const struct node *list, struct key_speeds *to)
{
    uint64_t last = UINT64_MAX, v;
    struct key_speeds got = {{0}, 0};
    *to = got; /* nothing of a list that is wrong */
    for (const struct node *n = list->first; n; n = n->next) {
        if (n->kind == NODE_REFUSED)
            return;
        if (n->kind != NODE_TEXT || !value_number(n->text, &v) || v < k->min || v > k->max) {
            critic_problem(l->c, n->at, "%s%s holds '%.*s', expected bits a second from %llu to %llu", l->where,
                           k->name, QUOTE_MAX, n->kind == NODE_TEXT ? n->text : kind_names[n->kind],
                           (unsigned long long)k->min, (unsigned long long)k->max);
            return;
        }
        if (got.n == KEY_SPEEDS_MAX || v >= last) {
            wrong(l, k, list, v >= last ? "out of order" : "too long", NULL);
            return;
        }
        got.list[got.n++] = (uint32_t)v;
        last = v;
    }
    *to = got;
}

static void read_texts(struct level *l, const struct key *k, const struct node *list, struct key_texts *to)
{
    to->n = 0;
    if (!list->n || list->n > KEY_TEXTS_MAX) {
        wrong(l, k, list, list->n ? "too long" : "too short", NULL);
        return;
    }
    for (const struct node *n = list->first; n; n = n->next) {
        size_t len = n->kind == NODE_TEXT ? strlen(n->text) : 0;
        if (n->kind == NODE_REFUSED)
            return;
        if (n->kind != NODE_TEXT || len < k->min || len > k->max) {
            wrong(l, k, n, n->kind == NODE_TEXT ? "too short or too long" : kind_names[n->kind], NULL);
            to->n = 0;
            return;
        }
        struct fl_why why = {0};
        if (k->check && k->check(n->text, &why)) {
            wrong(l, k, n, NULL, why.text);
            continue; /* the others may be wrong too */
        }
        to->list[to->n++] = n->text;
    }
}

static void read_list(struct level *l, const struct key *k, const struct node *list, struct key_list *to)
{
    size_t i = 0;
    if (list->n < k->min || list->n > k->max) {
        wrong(l, k, list, list->n < k->min ? "too short" : "too long", NULL);
        return;
    }
    to->items = calloc(list->n + 1, k->item_size);
    if (!to->items) {
        critic_nomem(l->c);
        return;
    }
    to->n = list->n;
    for (const struct node *n = list->first; n; n = n->next, i++) {
        struct level b = below(l, k->name, i, true);
        if (n->kind == NODE_MAP) {
            read_level(&b, k->keys, n, (char *)to->items + i * k->item_size);
        } else if (n->kind != NODE_REFUSED) {
            struct fl_buf phrase = FL_BUF(PHRASE_MAX);
            schema_say_keys(k->keys, &phrase);
            critic_problem(l->c, n->at, "%s%s[%zu] is %s, expected a mapping of %s", l->where, k->name, i,
                           kind_names[n->kind], fl_buf_text(&phrase));
            fl_buf_fini(&phrase);
        }
    }
}

static void read_value(struct level *l, const struct key *k, const struct node *n, char *to)
{
    if (!is_kind(l, k, n))
        return;
    if (k->type == KEY_MAP) {
        struct level b = below(l, k->name, 0, false);
        read_level(&b, k->keys, n, to);
    } else if (k->type == KEY_LIST) {
        read_list(l, k, n, (struct key_list *)(void *)to);
    } else if (k->type == KEY_TEXTS) {
        read_texts(l, k, n, (struct key_texts *)(void *)to);
    } else if (k->type == KEY_SPEEDS) {
        read_speeds(l, k, n, (struct key_speeds *)(void *)to);
    } else {
        struct fl_why why = {0};
        if (k->check && k->check(n->text, &why))
            wrong(l, k, n, NULL, why.text);
        else if (!value_store(k, n->text, to))
            wrong(l, k, n, NULL, NULL);
    }
}

/* What holds when a key is left out, and until a value proves right. */
static void fall_back(const struct key *keys, char *into)
{
    for (; keys->name; keys++) {
        if (keys->type == KEY_MAP)
            fall_back(keys->keys, into + keys->at);
        else if (keys->fallback)
            (void)value_store(keys, keys->fallback, into + keys->at);
    }
}

/* ---- keys that are not there, or should not be -------------------------------------------------- */

enum { NAME_MAX_BYTES = 32 };

/* How many letters to change, add, drop or swap: bounded edit distance. */
static unsigned distance(const char *a, const char *b)
{
    unsigned d[3][NAME_MAX_BYTES + 1] = {{0}};
    size_t na = strlen(a), nb = strlen(b);
    if (na > NAME_MAX_BYTES || nb > NAME_MAX_BYTES)
        return NAME_MAX_BYTES;
    for (size_t k = 0; k <= nb; k++)
        d[0][k] = (unsigned)k;
    for (size_t i = 1; i <= na; i++) {
        unsigned *row = d[i % 3], *up = d[(i - 1) % 3], *up2 = d[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t k = 1; k <= nb; k++) {
            unsigned best = up[k - 1] + (a[i - 1] != b[k - 1]);
            best = up[k] + 1 < best ? up[k] + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && up2[k - 2] + 1 < best)
                best = up2[k - 2] + 1;
            row[k] = best;
        }
    }
    return d[na % 3][nb];
}

static const struct key *nearest(const struct key *keys, const char *name)
{
    const struct key *best = NULL;
    unsigned least = strlen(name) < 5 ? 2 : 3; /* two slips in a longer word, one in a short one */
    for (; keys->name; keys++) {
        unsigned d = distance(keys->name, name);
        if (d < least) {
            least = d;
            best = keys;
        }
    }
    return best;
}

static const struct key *find(const struct key *keys, const char *name)
{
    for (; keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

static void unknown_key(struct level *l, const struct key *keys, const struct node *n)
{
    const struct key *near = nearest(keys, n->key);
    struct fl_buf phrase = FL_BUF(PHRASE_MAX);
    if (near)
        fl_buf_addf(&phrase, "'%s'", near->name);
    for (const struct key *k = keys; !near && k->name; k++)
        if (k->keys && find(k->keys, n->key)) {
            fl_buf_addf(&phrase, "it under '%s'", k->name);
            break;
        }
    if (!phrase.len) {
        fl_buf_adds(&phrase, "one of ");
        schema_say_keys(keys, &phrase);
    }
    critic_problem(l->c, n->key_at, "unknown key '%s%.*s', expected %s", l->where, QUOTE_MAX, n->key,
                   fl_buf_text(&phrase));
    fl_buf_fini(&phrase);
}

static void missing_key(struct level *l, const struct key *k, const struct node *map)
{
    struct fl_buf phrase = FL_BUF(PHRASE_MAX);
    schema_expected(k, &phrase);
    critic_problem(l->c, map->at, "the key '%s%s' is missing, expected %s", l->where, k->name,
                   fl_buf_text(&phrase));
    fl_buf_fini(&phrase);
}

static void read_level(struct level *l, const struct key *keys, const struct node *map, char *into)
{
    fall_back(keys, into);
    for (const struct node *n = map->first; n; n = n->next) {
        const struct key *k = find(keys, n->key);
        const struct node *first = tree_get(map, n->key);
        if (!k)
            unknown_key(l, keys, n);
        else if (first != n)
            critic_problem(l->c, n->key_at, "the key '%s%s' is here twice, expected once (the first is in line %u)",
                           l->where, n->key, first->key_at.line);
        else
            read_value(l, k, n, into + k->at);
    }
    for (const struct key *k = keys; k->name; k++)
        if (k->required && !tree_get(map, k->name))
            missing_key(l, k, map);
}

void schema_read(const struct key *keys, const struct node *map, void *into, struct critic *c)
{
    struct level top = {.c = c};
    read_level(&top, keys, map, into);
}

bool schema_root(const struct node *root, const struct key *keys, struct critic *c)
{
    struct fl_buf phrase = FL_BUF(PHRASE_MAX);
    if (root->kind == NODE_MAP)
        return true;
    schema_say_keys(keys, &phrase);
    if (root->kind == NODE_TEXT && !root->text[0])
        critic_problem(c, root->at, "the file is empty, expected a mapping of %s", fl_buf_text(&phrase));
    else if (root->kind != NODE_REFUSED)
        critic_problem(c, root->at, "the file is %s, expected a mapping of %s", kind_names[root->kind],
                       fl_buf_text(&phrase));
    fl_buf_fini(&phrase);
    return false;
}

struct node *tree_load(const char *path, const struct key *keys, struct fl_buf *text, struct critic *c)
{
    struct fl_why why = {0};
    enum fl_err err = fl_file_read(path, text, &why);
    if (err == FL_NOMEM)
        critic_nomem(c);
    else if (err == FL_LIMIT)
        critic_problem(c, (struct place){1, 1}, "the file has more than %d bytes, expected one that people write",
                       TREE_BYTES_MAX);
    else if (err)
        critic_problem(c, (struct place){1, 1}, "the file cannot be read: %s", why.text);
    if (err)
        return NULL;
    struct node *root = tree_read(fl_buf_text(text), text->len, c);
    if (root && !schema_root(root, keys, c)) {
        tree_free(root);
        root = NULL;
    }
    return root;
}

struct place schema_place(const struct node *root, const char *path)
{
    const struct node *n = root;
    while (*path) {
        char name[NAME_MAX_BYTES + 1];
        size_t k = strcspn(path, ".");
        const struct node *inner;
        if (k >= sizeof name)
            break;
        memcpy(name, path, k);
        name[k] = 0;
        inner = tree_get(n, name);
        if (!inner)
            break;
        n = inner;
        path += k + (path[k] == '.');
    }
    return n->at;
}
