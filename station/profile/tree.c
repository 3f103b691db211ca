/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/tree.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct critic *c;
    struct node *stack[TREE_DEPTH_MAX + 1]; /* the collections that are open */
    int depth;
    struct node *root;
    size_t nodes;
    char *key; /* the key that waits for its value, owned */
    struct place key_at;
    unsigned documents;
    bool stop;
    bool torn; /* ended in the middle: what is missing from the tree may stand further down */
};

void tree_free(struct node *n)
{
    while (n) { /* siblings in a loop, children by recursion: no deeper than TREE_DEPTH_MAX */
        struct node *next = n->next;
        tree_free(n->first);
        free(n->text);
        free(n->key);
        free(n);
        n = next;
    }
}

const struct node *tree_get(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    for (const struct node *n = map->first; n; n = n->next)
        if (strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

/* ---- text that is not YAML --------------------------------------------------------------------- */

static void step(struct place *at, const uint8_t *p)
{
    if (*p == '\n')
        *at = (struct place){at->line + 1, 1};
    else
        at->column++;
}

/* Before the parser sees it, so that the place is right: libyaml counts these errors in bytes. */
static bool text_is_clean(const uint8_t *p, size_t n, struct critic *c)
{
    struct place at = {1, 1};
    for (size_t i = 0; i < n;) {
        size_t k = fl_utf8_len(p + i, n - i);
        if (k == 0) {
            critic_problem(c, at, "byte 0x%02x is not UTF-8, expected a text file in UTF-8", p[i]);
            return false;
        }
        if ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t') || p[i] == 0x7f) {
            critic_problem(c, at, "control character 0x%02x, expected a text file", p[i]);
            return false;
        }
        step(&at, p + i);
        i += k;
    }
    return true;
}

/* ---- events into nodes ------------------------------------------------------------------------- */

static struct place place_of(yaml_mark_t m)
{
    return (struct place){(unsigned)m.line + 1, (unsigned)m.column + 1};
}

static struct node *parent_of(const struct reader *r)
{
    return r->depth ? r->stack[r->depth - 1] : NULL;
}

static bool key_is_due(const struct reader *r)
{
    const struct node *p = parent_of(r);
    return p && p->kind == NODE_MAP && !r->key;
}

/* Hang a new node into the tree; NULL when there is no memory or no room. */
static struct node *hang(struct reader *r, enum node_kind kind, struct place at)
{
    struct node *parent = parent_of(r), *n = calloc(1, sizeof *n);
    if (!n) {
        critic_nomem(r->c);
        r->stop = true;
        return NULL;
    }
    n->kind = kind;
    n->at = at;
    n->key = r->key;
    n->key_at = r->key ? r->key_at : at;
    r->key = NULL;
    if (!parent)
        r->root = n;
    else if (parent->last)
        parent->last->next = n;
    else
        parent->first = n;
    if (parent) {
        parent->last = n;
        parent->n++;
    }
    if (++r->nodes > TREE_NODES_MAX) {
        critic_problem(r->c, at, "more than %d values, expected a file that people write", TREE_NODES_MAX);
        r->stop = r->torn = true;
    }
    return n;
}

static char *text_of(struct reader *r, const yaml_event_t *e)
{
    size_t n = e->data.scalar.length;
    char *text = malloc(n + 1);
    if (!text) {
        critic_nomem(r->c);
        r->stop = true;
        return NULL;
    }
    memcpy(text, e->data.scalar.value, n);
    text[n] = 0;
    /* "\0" in double quotes is the one way for a zero to come in; C text would end there unseen */
    if (memchr(text, 0, n)) {
        critic_problem(r->c, place_of(e->start_mark), "a zero character, expected text");
        text[0] = 0;
    }
    return text;
}

static bool refuse_extras(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
                          const yaml_char_t *tag)
{
    if (anchor)
        critic_problem(r->c, place_of(e->start_mark), "the anchor '&%s' is not supported, expected the value itself",
                       (const char *)anchor);
    if (tag)
        critic_problem(r->c, place_of(e->start_mark), "the tag '%s' is not supported, expected the value without it",
                       (const char *)tag);
    return anchor || tag;
}

static void on_scalar(struct reader *r, const yaml_event_t *e)
{
    struct place at = place_of(e->start_mark);
    bool bad = refuse_extras(r, e, e->data.scalar.anchor, e->data.scalar.tag);
    char *text = text_of(r, e);
    if (!text)
        return;
    if (key_is_due(r)) {
        r->key = text;
        r->key_at = at;
        return;
    }
    struct node *n = hang(r, bad ? NODE_REFUSED : NODE_TEXT, at);
    if (!n) {
        free(text);
        return;
    }
    n->text = text;
    n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
}

static void on_alias(struct reader *r, const yaml_event_t *e)
{
    struct place at = place_of(e->start_mark);
    critic_problem(r->c, at, "the alias '*%s' is not supported, expected the value itself",
                   (const char *)e->data.alias.anchor);
    if (key_is_due(r))
        r->stop = r->torn = true;
    else
        (void)hang(r, NODE_REFUSED, at);
}

static void on_open(struct reader *r, const yaml_event_t *e, enum node_kind kind)
{
    struct place at = place_of(e->start_mark);
    bool map = kind == NODE_MAP;
    if (key_is_due(r)) {
        critic_problem(r->c, at, "a key is a %s, expected a word", map ? "mapping" : "list");
        r->stop = r->torn = true;
        return;
    }
    (void)refuse_extras(r, e, map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor,
                        map ? e->data.mapping_start.tag : e->data.sequence_start.tag);
    if (r->depth == TREE_DEPTH_MAX) {
        critic_problem(r->c, at, "nested deeper than %d, expected what profiles/README.md shows",
                       TREE_DEPTH_MAX);
        r->stop = r->torn = true;
        return;
    }
    struct node *n = hang(r, kind, at);
    if (n)
        r->stack[r->depth++] = n;
}

static void on_event(struct reader *r, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++r->documents == 2) {
            critic_problem(r->c, place_of(e->start_mark), "a second document starts here, expected one in a file");
            r->stop = true;
        }
        return;
    case YAML_SCALAR_EVENT:
        on_scalar(r, e);
        return;
    case YAML_ALIAS_EVENT:
        on_alias(r, e);
        return;
    case YAML_SEQUENCE_START_EVENT:
        on_open(r, e, NODE_LIST);
        return;
    case YAML_MAPPING_START_EVENT:
        on_open(r, e, NODE_MAP);
        return;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->depth--;
        return;
    case YAML_STREAM_END_EVENT:
        r->stop = true;
        return;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return;
    }
}

/* The byte there; 0 past the end. */
static uint8_t byte_at(const uint8_t *bytes, size_t n, struct place at)
{
    struct place here = {1, 1};
    for (size_t i = 0; i < n; i++) {
        bool begins = (bytes[i] & 0xc0) != 0x80;
        if (begins && here.line == at.line && here.column == at.column)
            return bytes[i];
        if (begins)
            step(&here, bytes + i);
    }
    return 0;
}

static void syntax_problem(struct reader *r, const uint8_t *bytes, size_t n)
{
    const yaml_parser_t *p = &r->parser;
    struct place at = place_of(p->problem_mark);
    r->stop = r->torn = true;
    if (p->error == YAML_MEMORY_ERROR) {
        critic_nomem(r->c);
        return;
    }
    if (p->error == YAML_READER_ERROR) { /* it knows the byte only */
        at = (struct place){1, 1};
        for (size_t i = 0; i < n && i < p->problem_offset; i++)
            if ((bytes[i] & 0xc0) != 0x80)
                step(&at, bytes + i);
    }
    if (byte_at(bytes, n, at) == '\t') {
        critic_problem(r->c, at, "a tab, expected blanks: YAML takes no other indentation");
        return;
    }
    const char *context = p->context ? p->context : "";
    critic_problem(r->c, at, "not YAML: %s%s%s, expected keys and values as profiles/README.md shows",
                   context, *context ? ": " : "", p->problem ? p->problem : "unreadable");
}

struct node *tree_read(const void *text, size_t n, struct critic *c)
{
    struct reader r = {.c = c};
    const uint8_t *bytes = text;
    if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark says nothing in UTF-8 */
        bytes += 3;
        n -= 3;
    }
    if (!text_is_clean(bytes, n, c))
        return NULL;
    if (!yaml_parser_initialize(&r.parser)) {
        critic_nomem(c);
        return NULL;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, bytes, n);
    while (!r.stop) {
        yaml_event_t e;
        if (!yaml_parser_parse(&r.parser, &e)) {
            syntax_problem(&r, bytes, n);
            break;
        }
        on_event(&r, &e);
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&r.parser);
    free(r.key);
    if (!c->err && !r.root)
        critic_problem(c, (struct place){1, 1}, "the file is empty, expected keys and values");
    if (r.torn || c->err == FL_NOMEM) {
        tree_free(r.root);
        return NULL;
    }
    return r.root; /* perhaps with problems: the rest of it is checked too */
}
