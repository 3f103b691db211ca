/* SPDX-License-Identifier: Apache-2.0
 * audit/signer: signs what continues its last head, and nothing else: no fork, no shorter tree, no other log. */
#include "unit/t.h"

#include "audit/signer.h"
#include "unit/leaves.h"

static struct tree_proof growth;
static struct signer_request request(uint64_t from, uint64_t to)
{
    struct signer_request r = {.origin = "o", .old_size = from, .new_size = to, .growth = &growth};
    growth.n = 0;
    assert_int_equal(tree_stored_root(hasher, &tree, from, &r.old_root, NULL), FL_OK);
    assert_int_equal(tree_stored_root(hasher, &tree, to, &r.new_root, NULL), FL_OK);
    if (from)
        assert_int_equal(tree_prove_growth(hasher, &tree, from, to, &growth, NULL), FL_OK);
    return r;
}

static void continues_only(void **state)
{
    (void)state;
    struct key *key;
    struct signer *s;
    struct fl_buf redo = FL_BUF(100);
    struct fl_why why;
    struct checkpoint last = {.origin = "o"};
    uint8_t pub[KEY_PUBLIC], sig[KEY_SIGNATURE];
    char text[CHECKPOINT_TEXT_MAX];
    assert_int_equal(key_new(&key, NULL), FL_OK);
    key_public(key, pub);
    assert_int_equal(tree_stored_root(hasher, &tree, 0, &last.root, NULL), FL_OK);
    assert_int_equal(signer_in_process.open(key, &last, &redo, &s, NULL), FL_OK);

    struct signer_request r = request(0, 3);
    assert_int_equal(signer_in_process.sign(s, &r, sig, NULL), FL_OK);
    size_t n = checkpoint_format("o", 3, &r.new_root, text);
    assert_int_equal(vkey_verify(pub, text, n, sig), FL_OK);
    r = request(3, 7);
    assert_int_equal(signer_in_process.sign(s, &r, sig, NULL), FL_OK);

    const struct tree_hash junk = {{1, 2, 3}};
    r = request(3, 8); /* from a head that is no longer the last */
    assert_int_equal(signer_in_process.sign(s, &r, sig, &why), FL_MISMATCH);
    r = request(7, 9);
    r.new_root = junk; /* another tree */
    assert_int_equal(signer_in_process.sign(s, &r, sig, &why), FL_MISMATCH);
    r = request(7, 9);
    r.old_root = junk; /* another history */
    assert_int_equal(signer_in_process.sign(s, &r, sig, &why), FL_MISMATCH);
    r = request(7, 9);
    growth.path[0].b[5] ^= 1; /* a proof that proves nothing */
    assert_int_equal(signer_in_process.sign(s, &r, sig, &why), FL_MISMATCH);
    r = request(7, 9);
    growth.n = 0;
    assert_int_equal(signer_in_process.sign(s, &r, sig, &why), FL_MISMATCH);
    r = request(7, 9);
    r.new_size = 5; /* shorter */
    assert_int_equal(signer_in_process.sign(s, &r, sig, &why), FL_MISMATCH);
    r = request(0, 9); /* from nothing, again */
    assert_int_equal(signer_in_process.sign(s, &r, sig, &why), FL_MISMATCH);
    r = request(7, 9);
    r.origin = "other";
    assert_int_equal(signer_in_process.sign(s, &r, sig, &why), FL_MISMATCH);
    r = request(7, 9); /* and after all that the right one still goes */
    assert_int_equal(signer_in_process.sign(s, &r, sig, NULL), FL_OK);
    signer_in_process.close(s);
    signer_in_process.close(NULL);
    key_free(key);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(continues_only)};
    return cmocka_run_group_tests(tests, leaves_make, leaves_forget);
}
