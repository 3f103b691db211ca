/* SPDX-License-Identifier: Apache-2.0
 * The result of a check in words for people. */
#include "audit/summary.h"

#include "base/b64.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <string.h>

typedef unsigned long long ull;

static size_t shown(size_t n, size_t max)
{
    return n < max ? n : max;
}

static void root_text(const struct tree_hash *root, char out[static B64_LEN(FL_SHA256_SIZE) + 1])
{
    b64_encode(root->b, sizeof root->b, out);
}

static void print_key(const struct check_result *r, struct fl_buf *out)
{
    char key[KEY_VKEY_MAX], print[KEY_FINGERPRINT];
    vkey_format(&r->vkey, key);
    if (vkey_fingerprint(&r->vkey, print))
        print[0] = 0;
    fl_buf_addf(out, "key          %s\nfingerprint  %s\n", key, print);
    if (r->own_key)
        fl_buf_adds(out, "             This key was taken from there itself. That proves less: whoever could replace all of it\n"
             "             could replace the key with it. Give the key from paper with --key.\n");
}

/* Which key signed what, when there was more than one. */
static void print_keys(const struct audit_report *a, struct fl_buf *out)
{
    if (a->n_keys > 1)
        fl_buf_addf(out, "keys         %zu, each handed over by the one before and promised beforehand:\n", a->n_keys);
    for (size_t i = 0; a->n_keys > 1 && i < a->n_keys; i++) {
        const struct audit_key *k = &a->key[i];
        if (k->to == UINT64_MAX)
            fl_buf_addf(out, "             %08x  heads of %llu records and more%s\n", k->key.id, (ull)k->from, k->trusted ? ", given" : "");
        else
            fl_buf_addf(out, "             %08x  heads of %llu to %llu records%s\n", k->key.id, (ull)k->from, (ull)k->to,
                        k->trusted ? ", given" : "");
    }
    if (a->retired)
        fl_buf_adds(out, "             The last one was retired: this log is closed for good.\n");
}

static void print_previous(const struct check_result *r, struct fl_buf *out)
{
    const struct audit_previous *p = &r->report.previous;
    const struct summary_previous *now = &r->previous;
    if (!p->named)
        return;
    fl_buf_addf(out, "follows      %s, which ended with %llu records and was %s then\n", p->key.name, (ull)p->head.size,
                strcmp(p->verdict, audit_class_name(AUDIT_GOOD)) == 0 ? "good" : p->verdict);
    if (!now->checked)
        fl_buf_adds(out, "             That log was not looked at: give its folder or bundle with --previous.\n");
    else if (now->verdict != AUDIT_GOOD)
        fl_buf_addf(out, "             It is NOT GOOD now (%s): %s\n", audit_class_name(now->verdict), now->text);
    else
        fl_buf_addf(out, "             It leads to that head%s.\n", now->size > p->head.size ? ", and went on behind it" : "");
}

static void print_step(const struct audit_step *s, struct fl_buf *out)
{
    static const struct {
        int64_t ms;
        const char *name;
    } unit[] = {{86400000, "days"}, {3600000, "hours"}, {60000, "minutes"}, {1000, "seconds"}, {1, "ms"}};
    int64_t far = s->ms < 0 ? -s->ms : s->ms;
    size_t u = 0;
    while (u + 1 < sizeof unit / sizeof *unit && far < 2 * unit[u].ms)
        u++;
    fl_buf_addf(out, "             record %llu: %lld %s %s%s%s\n", (ull)s->leaf, (long long)(far / unit[u].ms), unit[u].name,
                s->ms < 0 ? "back" : "forward", s->why[0] ? ", an engineer said: " : "", s->why);
}

static void print_life(const struct audit_report *a, struct fl_buf *out)
{
    fl_buf_addf(out, "runs         %llu, %llu closed in order, %llu not%s\n", (ull)a->boots, (ull)a->closes, (ull)a->unclosed,
           a->open ? "; the last one is still open: it is at work, or was cut off" : "");
    fl_buf_addf(out, "attempts     %llu begun, %llu ended, %llu INTERRUPTED\n", (ull)a->starts, (ull)a->results, (ull)a->interrupted);
    fl_buf_addf(out, "clock        %llu time%s set while it mattered (clock_step)\n", (ull)a->clock_steps, a->clock_steps == 1 ? "" : "s");
    for (size_t i = 0; i < a->n_steps; i++)
        print_step(&a->step[i], out);
    fl_buf_addf(out, "heartbeats   %llu, %zu gap%s\n", (ull)a->heartbeats, a->n_gaps, a->n_gaps == 1 ? "" : "s");
    for (size_t i = 0; i < shown(a->n_gaps, AUDIT_GAPS_MAX); i++)
        fl_buf_addf(out, "             %llu minutes of silence in front of record %llu\n", (ull)(a->gap[i].ms / 60000), (ull)a->gap[i].leaf);
}

/* ---- do the records add up? ------------------------------------------------------------------------------ */

static void print_twice(const struct account_twice *list, size_t n, struct fl_buf *out)
{
    for (size_t i = 0; i < shown(n, ACCOUNT_LIST_MAX); i++) {
        fl_buf_addf(out, "             %s: %zu times, records", list[i].what, list[i].n);
        for (size_t k = 0; k < shown(list[i].n, ACCOUNT_LEAVES_MAX); k++)
            fl_buf_addf(out, "%s %llu", k ? "," : "", (ull)list[i].leaf[k]);
        fl_buf_adds(out, list[i].n > ACCOUNT_LEAVES_MAX ? ", ...\n" : "\n");
    }
    if (n > ACCOUNT_LIST_MAX)
        fl_buf_addf(out, "             and %zu more\n", n - ACCOUNT_LIST_MAX);
}

static void print_ranges(const struct account_result *a, struct fl_buf *out)
{
    for (size_t i = 0; i < shown(a->n_ranges, ACCOUNT_LIST_MAX); i++) {
        const struct account_range *r = &a->range[i];
        fl_buf_addf(out, "serials      %s to %s: %llu given to units that passed, ", r->first, r->last, (ull)r->given);
        if (!r->missing)
            fl_buf_adds(out, "none is missing\n");
        else
            fl_buf_addf(out, "%llu missing:", (ull)r->missing);
        for (size_t k = 0; k < shown(r->n_holes, ACCOUNT_HOLES_MAX); k++)
            if (strcmp(r->hole[k].first, r->hole[k].last) == 0)
                fl_buf_addf(out, " %s", r->hole[k].first);
            else
                fl_buf_addf(out, " %s to %s", r->hole[k].first, r->hole[k].last);
        if (r->missing)
            fl_buf_adds(out, r->n_holes > ACCOUNT_HOLES_MAX ? " ...\n" : "\n");
    }
    if (a->n_ranges > ACCOUNT_LIST_MAX)
        fl_buf_addf(out, "             and %zu more ranges\n", a->n_ranges - ACCOUNT_LIST_MAX);
}

static void print_account(const struct audit_report *r, struct fl_buf *out)
{
    const struct account_result *a = &r->account;
    if (!r->accounted)
        return;
    fl_buf_addf(out, "units        %llu certified", (ull)a->units);
    if (a->n_twice)
        fl_buf_addf(out, ", %zu of them more than once: flashed again, or two boards with one MAC\n", a->n_twice);
    else
        fl_buf_adds(out, ", each once\n");
    print_twice(a->twice, a->n_twice, out);
    print_ranges(a, out);
    if (a->n_serials_twice)
        fl_buf_addf(out, "serials      %zu given to more than one unit:\n", a->n_serials_twice);
    print_twice(a->serials_twice, a->n_serials_twice, out);
    if (a->n_endless)
        fl_buf_addf(out, "endless      %zu attempts began and have no end, which this program leaves behind in no run: records", a->n_endless);
    for (size_t i = 0; i < shown(a->n_endless, ACCOUNT_LIST_MAX); i++)
        fl_buf_addf(out, "%s %llu", i ? "," : "", (ull)a->endless[i]);
    if (a->n_endless)
        fl_buf_adds(out, a->n_endless > ACCOUNT_LIST_MAX ? ", ...\n" : "\n");
}

/* ---- what holds it --------------------------------------------------------------------------------------- */

static void print_anchors(const struct check_result *r, struct fl_buf *out)
{
    char when[FL_TIME_TEXT];
    if (!r->anchors) {
        fl_buf_adds(out, "anchors      none: no authority outside has stamped this log\n");
        return;
    }
    fl_time_format(r->anchor_ms, when);
    fl_buf_addf(out, "anchors      %zu of %zu timestamps hold", r->anchors_good, r->anchors);
    if (r->anchors_good)
        fl_buf_addf(out, "; the last is over %llu records, %s%s", (ull)r->anchor_size, when,
                    r->has_ca ? "" : ". Who signed them was not checked: give the authority's certificates with --ca");
    fl_buf_addc(out, '\n');
}

uint64_t summary_held(const struct check_result *r)
{
    uint64_t held = r->heads_size > r->cosigned_size ? r->heads_size : r->cosigned_size;
    return r->has_ca && r->anchor_size > held ? r->anchor_size : held;
}

/* What whoever holds the key could still write anew, or cut off, without anybody seeing it here. */
static void print_window(const struct check_result *r, struct fl_buf *out)
{
    uint64_t held = summary_held(r), all = r->report.leaves;
    if (held >= all)
        fl_buf_adds(out, "window       none: all records are held by something outside this log\n");
    else
        fl_buf_addf(out, "window       records %llu to %llu rest on this %s alone: whoever has the key could write them anew, and whoever has\n"
                         "             the files could cut them off at the end, and this check would not see it\n",
                    (ull)held, (ull)(all - 1), r->bundle ? "bundle" : "folder");
}

static void print_signer(const struct check_result *r, struct fl_buf *out)
{
    if (r->signer == REMEMBERED_TOLD && r->signer_agrees)
        fl_buf_addf(out, "signer       its memory agrees: it signed a head of %llu records\n", (ull)r->signer_size);
    else if (r->signer == REMEMBERED_TOLD && !r->signer_ahead)
        fl_buf_adds(out, "signer       its memory does not hold a signed head of this log that agrees\n");
    if (r->signer == REMEMBERED_TOLD && r->signer_ahead)
        fl_buf_addf(out, "signer       it remembers %llu record%s more than the database has yet: a station is at work, or a crash took the commit\n"
                         "             and the next start makes it again\n", (ull)r->signer_ahead, r->signer_ahead == 1 ? "" : "s");
    if (r->signer == REMEMBERED_NOTHING)
        fl_buf_adds(out, "signer       its memory is empty\n");
    if (r->signer == REMEMBERED_NOT_HERE)
        fl_buf_adds(out, "signer       the folder holds no memory of its signer: an older copy cannot be told by it\n");
    if (r->signer == REMEMBERED_CLOSED)
        fl_buf_addf(out, "signer       not asked, so that an older copy cannot be told by its memory: %s\n", r->signer_why);
}

static void print_policy(const struct check_result *r, struct fl_buf *out)
{
    const struct audit_policy *p = &r->report.policy;
    if (!p->times)
        return;
    fl_buf_addf(out, "policy       record %llu tells %s", (ull)p->leaf, p->none ? "that no witness is asked for" : "which witnesses are asked for");
    if (p->times > 1)
        fl_buf_addf(out, ", the last of %llu that told it", (ull)p->times);
    if (r->policy_looked && !r->policy_same)
        fl_buf_adds(out, ".\n             The folder's file policy is another: it was exchanged, or written since the last start, which would have told it");
    fl_buf_addc(out, '\n');
}

static void print_heads(const struct check_result *r, struct fl_buf *out)
{
    const struct audit_report *a = &r->report;
    char root[B64_LEN(FL_SHA256_SIZE) + 1];
    if (a->has_head) {
        root_text(&a->head.root, root);
        fl_buf_addf(out, "newest head  %llu records, root %s\n", (ull)a->head.size, root);
    }
    if (!r->bundle && a->has_head && !r->has_mark)
        fl_buf_adds(out, "mark         the folder has no file `checkpoint`, which a station always keeps: somebody took it away\n");
    print_signer(r, out);
    if (r->heads_given)
        fl_buf_addf(out, "outside      %zu of %zu heads given agree, up to %llu records\n", r->heads_agreed, r->heads_given, (ull)r->heads_size);
    else
        fl_buf_adds(out, "outside      no head kept elsewhere was given (--head)\n");
    if (r->asked && r->cosigned_size)
        fl_buf_addf(out, "witnesses    %s signed, and hold the first %llu records\n", r->asked_text, (ull)r->cosigned_size);
    else if (r->asked)
        fl_buf_addf(out, "witnesses    asked for is %s: not enough of them signed\n", r->asked_text);
    else if (r->cosigned)
        fl_buf_addf(out, "witnesses    a witness whose key was given signed a head of %llu records\n", (ull)r->cosigned_size);
    print_policy(r, out);
    if (r->bundle && r->policy_witnesses > r->policy_given)
        fl_buf_addf(out, "policy       the bundle's own names %zu witness%s, %zu of them known here: it is no proof of who they are\n",
                    r->policy_witnesses,
                    r->policy_witnesses == 1 ? "" : "es", r->policy_given);
    if (r->unknown_cosigned)
        fl_buf_addf(out, "witnesses    %zu head%s signed by others: their verifier keys, given with --key, would make that count\n",
                    r->unknown_cosigned,
                    r->unknown_cosigned == 1 ? "" : "s");
    print_anchors(r, out);
    print_window(r, out);
}

static void print_verdict(const struct check_result *r, struct fl_buf *out)
{
    const struct audit_report *a = &r->report;
    const struct audit_finding *worst = audit_worst(a);
    char root[B64_LEN(FL_SHA256_SIZE) + 1];
    if (a->verdict == AUDIT_GOOD) {
        fl_buf_adds(out, "\nGOOD: nothing was changed, removed or inserted, as far as this log and this key can tell.\n");
        return;
    }
    fl_buf_addf(out, "\nNOT GOOD (%s): %s\n\n", audit_class_name(a->verdict), audit_class_text(a->verdict));
    for (size_t i = 0; i < shown(a->n_findings, AUDIT_FINDINGS_MAX); i++)
        fl_buf_addf(out, "  %-9s  %s\n", audit_class_name(a->finding[i].class), a->finding[i].text);
    if (a->n_findings > AUDIT_FINDINGS_MAX)
        fl_buf_addf(out, "  and %zu more\n", a->n_findings - AUDIT_FINDINGS_MAX);
    if (worst && worst->class == AUDIT_FOREIGN && worst->first == 0 && !a->has_trusted)
        fl_buf_addf(out, "\nThe key that was given is of the log %s, and this is another log from its first record: is it the right key?\n",
                    r->vkey.name);
    if (worst && a->n_log_findings) {
        fl_buf_addf(out, "\nfirst bad record       %llu\n", (ull)worst->first);
        if (a->has_trusted) {
            root_text(&a->trusted_root, root);
            fl_buf_addf(out, "last trustworthy head  %llu records, root %s\n", (ull)a->trusted_size, root);
        } else {
            fl_buf_adds(out, "last trustworthy head  none\n");
        }
        if (a->tree_intact)
            fl_buf_adds(out, "The signed tree is whole: every record not named above is what was signed.\n");
    } else if (!a->has_trusted || a->trusted_size != a->leaves) {
        fl_buf_adds(out, "\nHow much of the log itself is whole cannot be told.\n");
    } else if (a->n_covered) {
        root_text(&a->trusted_root, root);
        fl_buf_addf(out, "\nlast trustworthy head  %llu records, root %s\n", (ull)a->trusted_size, root);
        fl_buf_adds(out, "The records are whole: a later good head covers those under each head that is no good.\n");
    } else {
        fl_buf_adds(out, "\nThe log itself is whole; what is wrong lies beside it.\n");
    }
}

enum fl_err summary_text(const char *path, const struct check_result *r, struct fl_buf *out)
{
    const struct audit_report *a = &r->report;
    char first[FL_TIME_TEXT], last[FL_TIME_TEXT];
    fl_buf_addf(out, "%s       %s\nlog          %s\n", r->bundle ? "bundle" : "folder", path, r->vkey.name);
    print_key(r, out);
    fl_buf_addf(out, "checked      %llu records (%llu bytes), %llu tree nodes, %llu signed heads, %llu signatures", (ull)a->leaves,
           (ull)a->bytes, (ull)a->nodes, (ull)a->heads, (ull)a->signatures);
    if (r->rows_checked)
        fl_buf_addf(out, ", %llu rows\n", (ull)r->rows);
    else if (!r->bundle)
        fl_buf_adds(out, "; the tables were not compared\n");
    else
        fl_buf_addf(out, ", %llu tiles\n", (ull)r->tiles);
    if (a->leaves) {
        fl_time_format(a->first_ms, first);
        fl_time_format(a->last_ms, last);
        fl_buf_addf(out, "span         %s to %s\n", first, last);
    }
    print_keys(a, out);
    print_previous(r, out);
    print_life(a, out);
    print_account(a, out);
    print_heads(r, out);
    print_verdict(r, out);
    enum fl_err err = fl_buf_err(out, NULL);
    if (!err) /* names of folders and what is quoted of a log may be anything */
        fl_utf8_clean((char *)out->bytes, true);
    return err;
}
