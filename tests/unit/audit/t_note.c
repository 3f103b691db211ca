/* SPDX-License-Identifier: Apache-2.0
 * audit/: base64, keys, notes, checkpoints, cosignatures, proof files; literal bytes of the worked example.
 * With FL_CORPUS=DIR in the environment the malformed notes are written there as <number>-<verdict>, for a
 * reader written by others to judge the same bytes. */
#include "unit/t.h"

#include "base/b64.h"
#include "audit/checkpoint.h"
#include "audit/cosign.h"
#include "audit/proof_file.h"

#define LOG_VKEY "factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define WITNESS_VKEY "qa.example/witness1+dfa888a4+BCVDuS/xCVURR2rcg2nbbdyTNmWhGXjdoUBO4QZsqVWd"
#define D "\xe2\x80\x94"
#define CP5_TEXT "factory.example/station1\n5\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n"
#define CP5_SIG "mR34d4vcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBgY="
#define CP5_LINE D " factory.example/station1 " CP5_SIG "\n"
#define CP5 CP5_TEXT "\n" CP5_LINE
#define COSIG_LINE                                                                                 \
    D " qa.example/witness1 36iIpAAAAABrAqEAn22Bh6hbIus2CuH6VKNt52CTSvsXzShqvKNLpGZzw/HdVyg9GDZs/KlX52F+YshzWOntu/vzoBTgnePE1MKXAA==\n"

static struct key *seed_key(uint8_t first)
{
    uint8_t seed[KEY_SEED];
    struct key *k;
    for (int i = 0; i < KEY_SEED; i++)
        seed[i] = (uint8_t)(first + i);
    assert_int_equal(key_from_seed(seed, &k, NULL), FL_OK);
    return k;
}

static struct vkey vkey_of(const char *text)
{
    struct vkey k;
    struct fl_why why = {0, "-"};
    if (vkey_parse(text, &k, &why))
        fail_msg("%s: %s", text, why.text);
    return k;
}

static void base64(void **state)
{
    (void)state;
    /* RFC 4648 section 10 */
    static const char *const row[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
                                         {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "+//+"}};
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char text[16];
        uint8_t out[16];
        size_t n;
        b64_encode((const uint8_t *)row[i][0], strlen(row[i][0]), text);
        assert_string_equal(text, row[i][1]);
        assert_true(b64_decode(text, strlen(text), out, strlen(row[i][0]), &n));
        assert_int_equal(n, strlen(row[i][0]));
        assert_memory_equal(out, row[i][0], n);
        if (n)
            assert_false(b64_decode(text, strlen(text), out, n - 1, &n)); /* no room */
    }
    static const char *const bad[] = {"Zg", "Zg=", "Zg===", "Zh==", "dTV=", "Zm9=", " Zm8=", "Zm8=\n", "Zm8 ",
                                      "Z===", "====", "Zg==Zg==", "Zm-v", "Zm_v", "Zm9v\n", "Z=g="};
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        uint8_t out[16];
        size_t n;
        assert_false(b64_decode(bad[i], strlen(bad[i]), out, sizeof out, &n));
    }
}

static void worked_keys(void **state)
{
    (void)state;
    struct key *k = seed_key(0x00), *w = seed_key(0x40);
    uint8_t pub[KEY_PUBLIC];
    char hex[65], text[KEY_VKEY_MAX];
    struct vkey v;
    key_public(k, pub);
    fl_hex(pub, 32, hex);
    assert_string_equal(hex, "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
    assert_int_equal(vkey_make("factory.example/station1", KEY_NOTE, pub, &v, NULL), FL_OK);
    assert_int_equal(v.id, 0x991df877);
    vkey_format(&v, text);
    assert_string_equal(text, LOG_VKEY);
    assert_int_equal(vkey_make("factory.example/station1", KEY_COSIGN, pub, &v, NULL), FL_OK);
    vkey_format(&v, text);
    assert_string_equal(text, "factory.example/station1+e4fa390e+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4");
    key_public(w, pub);
    assert_int_equal(vkey_make("qa.example/witness1", KEY_COSIGN, pub, &v, NULL), FL_OK);
    vkey_format(&v, text);
    assert_string_equal(text, WITNESS_VKEY);
    v = vkey_of(WITNESS_VKEY);
    assert_memory_equal(v.key, pub, KEY_PUBLIC);
    assert_int_equal(v.type, KEY_COSIGN);
    char print[KEY_FINGERPRINT]; /* printf '%s' VKEY | sha256sum | sed 's/..../& /g' */
    v = vkey_of(LOG_VKEY);
    assert_int_equal(vkey_fingerprint(&v, print), FL_OK);
    assert_string_equal(print, "76ab c137 aea8 b434 7fb2 c3c5 10ab a489 e0f5 e8ab 5e54 63ca 8285 e581 dacf 502c");
    key_free(w);
    key_free(k);
}

static void bad_keys(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "a", "a+991df877", "+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "factory.example/station2+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", /* ID of another name */
        "factory.example/station1+991DF877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "factory.example/station1+991df87+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "factory.example/station1+0991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG",
        "factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4AAAA",
        "factory.example/station1+991df877+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", /* type 2 */
        "factory example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        LOG_VKEY "\n", (" " LOG_VKEY),
    };
    for (size_t i = 0; i < T_COUNT(bad); i++) {
        struct vkey k;
        struct fl_why why = {0, ""};
        if (vkey_parse(bad[i], &k, &why) == FL_OK)
            fail_msg("accepted '%s'", bad[i]);
        assert_true(why.text[0] != 0);
    }
    static const struct {
        const char *name;
        bool ok;
    } name[] = {{"a", true}, {"line/3-a.example", true}, {"\xc3\xa9", true}, {"", false}, {"a+b", false},
                {"a b", false}, {"a\xc2\xa0z", false}, {"a\xe2\x80\x83", false}, {"a\xe3\x80\x80", false},
                {"a\n", false}, {"a\x7f", false}, {"\xff", false}, {"\xc0\xaf", false}, {"a\xc2\x9b", false},
                {"a\xc2\xa1", true}};
    for (size_t i = 0; i < T_COUNT(name); i++)
        assert_int_equal(key_name_ok(name[i].name, strlen(name[i].name)), name[i].ok);
    assert_false(key_name_ok("a\0b", 3));
}

static void key_files(void **state)
{
    (void)state;
    struct key *k = seed_key(0x00), *back;
    struct fl_buf plain = FL_BUF(4096), sealed = FL_BUF(4096), again = FL_BUF(4096);
    struct fl_why why;
    uint8_t pub[KEY_PUBLIC];
    assert_int_equal(key_to_pem(k, NULL, &plain, &why), FL_OK);
    /* RFC 8410 section 7: a PKCS#8 Ed25519 key is 302e020100300506032b657004220420 and the seed */
    assert_string_equal(fl_buf_text(&plain),
                        "-----BEGIN PRIVATE KEY-----\n"
                        "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
                        "-----END PRIVATE KEY-----\n");
    assert_false(key_pem_encrypted(plain.bytes, plain.len));
    assert_false(key_pem_encrypted(NULL, 0)); /* an empty file */
    assert_int_equal(key_from_pem(plain.bytes, plain.len, NULL, &back, &why), FL_OK);
    key_public(back, pub);
    assert_memory_equal(pub, vkey_of(LOG_VKEY).key, KEY_PUBLIC);
    key_free(back);

    assert_int_equal(key_to_pem(k, "correct horse", &sealed, &why), FL_OK);
    assert_true(key_pem_encrypted(sealed.bytes, sealed.len));
    assert_int_equal(key_from_pem(sealed.bytes, sealed.len, "correct horse", &back, &why), FL_OK);
    key_public(back, pub);
    assert_memory_equal(pub, vkey_of(LOG_VKEY).key, KEY_PUBLIC);
    key_free(back);
    assert_int_equal(key_from_pem(sealed.bytes, sealed.len, "wrong", &back, &why), FL_ACCESS);
    assert_null(back);
    assert_int_equal(key_from_pem(sealed.bytes, sealed.len, NULL, &back, &why), FL_ACCESS);
    assert_non_null(strstr(why.text, "no passphrase"));
    assert_int_equal(key_to_pem(k, "correct horse", &again, &why), FL_OK);
    assert_string_not_equal(fl_buf_text(&sealed), fl_buf_text(&again)); /* another salt */

    static const char *const bad[] = {"", "junk", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
    for (size_t i = 0; i < T_COUNT(bad); i++)
        assert_int_equal(key_from_pem(bad[i], strlen(bad[i]), NULL, &back, &why), FL_FORMAT);
    key_wipe(&plain);
    key_wipe(&sealed);
    key_wipe(&again);
    key_free(k);
}

static void worked_note(void **state)
{
    (void)state;
    struct key *k = seed_key(0x00);
    struct vkey v = vkey_of(LOG_VKEY);
    struct checkpoint c;
    struct fl_why why = {0, ""};
    assert_int_equal(strlen(CP5), 195);
    assert_int_equal(checkpoint_open(CP5, strlen(CP5), &v, 1, v.name, &c, &why), FL_OK);
    assert_int_equal(c.size, 5);
    char hex[65];
    fl_hex(c.root.b, 32, hex);
    assert_string_equal(hex, "ac7a686e0b7602a99c5771b5c1ee265934d89967198ce58c1d157fcbd38f7535");
    assert_int_equal(checkpoint_open(CP5, strlen(CP5), &v, 1, "factory.example/station2", &c, &why), FL_MISMATCH);

    /* and written by us: the same bytes, because Ed25519 is deterministic */
    char text[CHECKPOINT_TEXT_MAX];
    uint8_t sig[KEY_SIGNATURE];
    size_t n = checkpoint_format(v.name, 5, &c.root, text);
    assert_string_equal(text, CP5_TEXT);
    assert_int_equal(key_sign(k, text, n, sig, NULL), FL_OK);
    struct fl_buf b = FL_BUF(1000);
    checkpoint_note(&b, &v, v.name, 5, &c.root, sig);
    assert_string_equal(fl_buf_text(&b), CP5);
    fl_buf_fini(&b);
    key_free(k);
}

static void cosignature(void **state)
{
    (void)state;
    struct key *w = seed_key(0x40);
    struct vkey keys[2] = {vkey_of(LOG_VKEY), vkey_of(WITNESS_VKEY)};
    static const char both[] = CP5 COSIG_LINE;
    struct note note;
    bool which[2];
    uint8_t raw[COSIGN_RAW];
    struct fl_buf b = FL_BUF(1000);
    assert_int_equal(note_parse(both, strlen(both), &note, NULL), FL_OK);
    assert_int_equal(note.n, 2);
    assert_int_equal(note_verify(&note, keys, 2, which, NULL), FL_OK);
    assert_true(which[0] && which[1]);
    assert_int_equal(cosign_make(CP5_TEXT, strlen(CP5_TEXT), 1795334400, w, raw, NULL), FL_OK);
    note_add_line(&b, keys[1].name, keys[1].id, raw, sizeof raw);
    assert_string_equal(fl_buf_text(&b), COSIG_LINE);
    int64_t t = 0;
    assert_int_equal(cosign_check(CP5_TEXT, strlen(CP5_TEXT), raw, sizeof raw, &keys[1], &t), FL_OK);
    assert_int_equal(t, 1795334400);
    raw[7] ^= 1; /* another time */
    assert_int_equal(cosign_check(CP5_TEXT, strlen(CP5_TEXT), raw, sizeof raw, &keys[1], &t), FL_MISMATCH);
    raw[7] ^= 1;
    raw[0] = 0x80; /* beyond 2^63 - 1 */
    assert_int_equal(cosign_check(CP5_TEXT, strlen(CP5_TEXT), raw, sizeof raw, &keys[1], &t), FL_MISMATCH);
    raw[0] = 0;
    assert_int_equal(cosign_check(CP5_TEXT, strlen(CP5_TEXT) - 1, raw, sizeof raw, &keys[1], &t), FL_MISMATCH);
    assert_int_equal(cosign_check(CP5_TEXT, strlen(CP5_TEXT), raw, KEY_SIGNATURE, &keys[1], &t), FL_MISMATCH);

    /* a log signature presented as a cosignature by the same key under type 4, and the other way round */
    struct vkey as_witness, as_log;
    assert_int_equal(vkey_make(keys[0].name, KEY_COSIGN, keys[0].key, &as_witness, NULL), FL_OK);
    assert_int_equal(vkey_make(keys[1].name, KEY_NOTE, keys[1].key, &as_log, NULL), FL_OK);
    as_witness.id = keys[0].id; /* as if the IDs collided */
    as_log.id = keys[1].id;
    assert_int_equal(note_verify(&note, &as_witness, 1, NULL, NULL), FL_MISMATCH);
    assert_int_equal(note_verify(&note, &as_log, 1, NULL, NULL), FL_MISMATCH);
    fl_buf_fini(&b);
    key_free(w);
}

/* ---- the corpus ----------------------------------------------------------------------------------- */

enum verdict { ACCEPTED, MALFORMED, BAD_SIGNATURE, STRICTER /* we refuse what Go takes */ };

static enum verdict judge(const void *bytes, size_t n)
{
    struct vkey v = vkey_of(LOG_VKEY);
    struct note note;
    if (note_parse(bytes, n, &note, NULL))
        return MALFORMED;
    return note_verify(&note, &v, 1, NULL, NULL) == FL_OK ? ACCEPTED : BAD_SIGNATURE;
}

static void judged(int number, const void *bytes, size_t n, enum verdict want)
{
    static const char *const name[] = {"accepted", "malformed", "bad", "stricter"};
    const char *dir = getenv("FL_CORPUS");
    if (dir) {
        char path[500];
        (void)snprintf(path, sizeof path, "%s/%02d-%s", dir, number, name[want]);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, n, f), n);
        assert_int_equal(fclose(f), 0);
    }
    enum verdict got = judge(bytes, n);
    if (want == STRICTER ? got == ACCEPTED : got != want)
        fail_msg("note %d is %s, expected %s:\n%.*s", number, name[got], name[want], (int)n, (const char *)bytes);
}

#define ROW(text, verdict) {text, sizeof(text) - 1, verdict}
static void malformed_notes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        enum verdict want;
    } row[] = {
        ROW(CP5, ACCEPTED),
        ROW("", MALFORMED),
        ROW("\n", MALFORMED),
        ROW("\n\n", MALFORMED),
        ROW(CP5_TEXT, MALFORMED),
        ROW(CP5_TEXT "\n", MALFORMED),
        ROW("factory.example/station1\r\n5\r\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\r\n\r\n" CP5_LINE, MALFORMED),
        ROW(CP5_TEXT "\n" D " factory.example/station1 " CP5_SIG, MALFORMED), /* no final newline */
        ROW(CP5 "\n", MALFORMED),
        ROW(CP5_TEXT "\n\n" CP5_LINE, BAD_SIGNATURE), /* an empty line more belongs to the text */
        ROW(CP5 "trailing\n", MALFORMED),
        ROW(CP5 "\ntrailing\n", MALFORMED),
        ROW(CP5_TEXT "\n- factory.example/station1 " CP5_SIG "\n", MALFORMED),
        ROW(CP5_TEXT "\n\xe2\x80\x93 factory.example/station1 " CP5_SIG "\n", MALFORMED),
        ROW(CP5_TEXT "\n" D "  factory.example/station1 " CP5_SIG "\n", MALFORMED),
        ROW(CP5_TEXT "\n" D " factory.example/station1  " CP5_SIG "\n", MALFORMED),
        ROW(CP5_TEXT "\n" D "\tfactory.example/station1 " CP5_SIG "\n", MALFORMED),
        ROW(CP5_TEXT "\n" D " factory.example/station1\t" CP5_SIG "\n", MALFORMED),
        ROW(CP5_TEXT "\n" D " factory.example/station1 mR34d4vcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBg\n", MALFORMED),
        ROW("factory.example/station1\n5\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n\0\n\n" CP5_LINE, MALFORMED),
        ROW("factory.example/station1\n5\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n\xff\n\n" CP5_LINE, MALFORMED),
        ROW(CP5 D " other.example AQID\n", MALFORMED), /* 3 bytes: no room for a key ID and a signature */
        ROW("factory.example/station1\n05\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n\n" CP5_LINE, BAD_SIGNATURE),
        ROW("factory.example/station1\n5\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU\n\n" CP5_LINE, BAD_SIGNATURE),
        ROW("\xef\xbb\xbf" CP5, BAD_SIGNATURE),
        ROW("factory.example/station1\n\n5\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n\n" CP5_LINE, BAD_SIGNATURE),
        ROW("factory.example/station1\x7f\n5\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n\n" CP5_LINE, BAD_SIGNATURE),
        ROW(CP5_TEXT "extension\n\n" CP5_LINE, BAD_SIGNATURE),
        /* 65 bytes of signature */
        ROW(CP5_TEXT "\n" D " factory.example/station1 mR34d4vcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBgYA\n", BAD_SIGNATURE),
        /* the same name, another key: not known, so not looked at; none known is left */
        ROW(CP5_TEXT "\n" D " factory.example/station1 mR34eIvcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBgY=\n", BAD_SIGNATURE),
        /* the known key's first line is bad, a good one follows */
        ROW(CP5_TEXT "\n" D " factory.example/station1 mR34d4vcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBgA=\n" CP5_LINE, BAD_SIGNATURE),
        /* and the other way round: C2SP has every line of a known key verified, Go looks at the first alone */
        ROW(CP5 D " factory.example/station1 mR34d4vcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBgA=\n", STRICTER),
        ROW(CP5 CP5_LINE, ACCEPTED),
        ROW(CP5_TEXT "\n" D " other.example AQIDBAU=\n" CP5_LINE, ACCEPTED), /* unknown, 5 bytes */
        ROW(CP5 COSIG_LINE, ACCEPTED),
        ROW(CP5_TEXT "\n" D " factory.example/station1 mR34d4vcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBgZ=\n", STRICTER),
        ROW(CP5_TEXT "\n" D " factory.example/station1+ " CP5_SIG "\n", MALFORMED),
    };
    int number = 0;
    for (size_t i = 0; i < T_COUNT(row); i++)
        judged(number++, row[i].bytes, row[i].n, row[i].want);
    for (int lines = 100; lines <= 101; lines++) {
        struct fl_buf b = FL_BUF(100000);
        fl_buf_adds(&b, CP5_TEXT "\n");
        for (int i = 0; i < lines; i++)
            fl_buf_adds(&b, CP5_LINE);
        judged(number++, b.bytes, b.len, lines == 100 ? ACCEPTED : MALFORMED);
        fl_buf_fini(&b);
    }
}

/* every single bit of the worked note, flipped: never accepted, except in the signature's spelling of nothing */
static void any_bit(void **state)
{
    (void)state;
    char bytes[sizeof CP5];
    for (size_t i = 0; i < sizeof CP5 - 1; i++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bytes, CP5, sizeof bytes);
            bytes[i] = (char)(bytes[i] ^ (1 << bit));
            assert_int_not_equal(judge(bytes, sizeof CP5 - 1), ACCEPTED);
        }
}

/* large input is refused or read in one pass: sizes that would hurt a quadratic reader */
static void large_notes(void **state)
{
    (void)state;
    struct fl_buf b = FL_BUF(20000000);
    for (int i = 0; i < 1000001; i++)
        fl_buf_addc(&b, i == 1000000 ? '\n' : 'a');
    struct note note;
    assert_int_equal(note_parse(b.bytes, b.len, &note, NULL), FL_LIMIT);
    fl_buf_clear(&b);
    fl_buf_adds(&b, "text\n\n");
    for (int i = 0; i < 50000; i++)
        fl_buf_adds(&b, D " a AQIDBAU=\n");
    assert_int_equal(note_parse(b.bytes, b.len, &note, NULL), FL_FORMAT);
    fl_buf_clear(&b);
    fl_buf_adds(&b, "text\n\n" D " a ");
    for (int i = 0; i < 900000; i++)
        fl_buf_addc(&b, 'A');
    fl_buf_addc(&b, '\n');
    assert_int_equal(note_parse(b.bytes, b.len, &note, NULL), FL_FORMAT);
    fl_buf_fini(&b);
}

static void checkpoint_texts(void **state)
{
    (void)state;
#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    static const struct {
        const char *text;
        bool ok;
        uint64_t size;
        size_t extensions;
    } row[] = {
        {"o\n0\n" ROOT, true, 0, 0},
        {"o\n9223372036854775807\n" ROOT, true, INT64_MAX, 0},
        {"o\n7\n" ROOT "x\ny z\n", true, 7, 2},
        {"o\n9223372036854775808\n" ROOT, false, 0, 0},
        {"o\n99999999999999999999\n" ROOT, false, 0, 0},
        {"o\n00\n" ROOT, false, 0, 0},
        {"o\n+1\n" ROOT, false, 0, 0},
        {"o\n-1\n" ROOT, false, 0, 0},
        {"o\n1 \n" ROOT, false, 0, 0},
        {"o\n\n" ROOT, false, 0, 0},
        {"\n1\n" ROOT, false, 0, 0},
        {"o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n", false, 0, 0},
        {"o\n1\nAAAA\n", false, 0, 0},
        {"o\n1\n", false, 0, 0},
        {"o\n1\n" ROOT "\n", false, 0, 0},
        {"o\n1\n" ROOT "x", false, 0, 0},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct checkpoint c;
        enum fl_err err = checkpoint_parse(row[i].text, strlen(row[i].text), &c, NULL);
        assert_int_equal(err, row[i].ok ? FL_OK : FL_FORMAT);
        if (row[i].ok) {
            assert_int_equal(c.size, row[i].size);
            assert_int_equal(c.extensions, row[i].extensions);
        }
    }
}

#define REC2 "{\"event\":\"flash\",\"fw_sha256\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"result\":\"pass\",\"seq\":2,\"serial\":\"A100-000002\",\"station\":\"station1\",\"time\":\"2026-11-22T08:00:02.000Z\",\"v\":1}"
#define H1 "D5NsSdyoxc97hMWaieNCXXoj+BbeNXH92iee6skMFZs=\n"
#define H2 "iH4MnMXYUIMRw1vg4YvMmryRvXP0mLZ1+n7JrPlHfQ4=\n"
#define H3 "GvxqwrLBBaydR30NvehmVQzC+BvZId2gGy8WHMk7qMU=\n"
#define PROOF "c2sp.org/tlog-proof@v1\nindex 2\n" H1 H2 H3 "\n" CP5 COSIG_LINE

static enum fl_err check_proof(const char *bytes, const char *leaf)
{
    struct vkey v = vkey_of(LOG_VKEY);
    struct proof_file p;
    enum fl_err err = proof_file_parse(bytes, strlen(bytes), &p, NULL);
    if (!err)
        err = proof_file_check(&p, leaf, strlen(leaf), &v, 1, v.name, NULL, NULL);
    proof_file_fini(&p);
    return err;
}

static void proof_files(void **state)
{
    (void)state;
    assert_int_equal(check_proof(PROOF, REC2), FL_OK);
    assert_int_equal(check_proof(PROOF, "{}"), FL_MISMATCH);
    static const struct {
        const char *bytes;
        enum fl_err err;
    } row[] = {
        {"c2sp.org/tlog-proof@v2\nindex 2\n" H1 H2 H3 "\n" CP5, FL_FORMAT},
        {"c2sp.org/tlog-proof@v1\nindex 02\n" H1 H2 H3 "\n" CP5, FL_FORMAT},
        {"c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n" H1 H2 H3 "\n" CP5, FL_FORMAT},
        {"c2sp.org/tlog-proof@v1\n" H1 H2 H3 "\n" CP5, FL_FORMAT},
        {"c2sp.org/tlog-proof@v1\nindex 2\n" H1 H2 H3 CP5, FL_FORMAT},
        {"c2sp.org/tlog-proof@v1\nextra ?\nindex 2\n" H1 H2 H3 "\n" CP5, FL_FORMAT},
        {"c2sp.org/tlog-proof@v1\nindex 2\n" H1 H2 H3, FL_FORMAT},
        {"c2sp.org/tlog-proof@v1\nindex 1\n" H1 H2 H3 "\n" CP5, FL_MISMATCH},
        {"c2sp.org/tlog-proof@v1\nindex 3\n" H1 H2 H3 "\n" CP5, FL_MISMATCH},
        {"c2sp.org/tlog-proof@v1\nindex 5\n" H1 H2 H3 "\n" CP5, FL_MISMATCH},
        {"c2sp.org/tlog-proof@v1\nindex 2\n" H2 H1 H3 "\n" CP5, FL_MISMATCH},
        {"c2sp.org/tlog-proof@v1\nindex 2\n" H1 H2 "\n" CP5, FL_MISMATCH},
        {"c2sp.org/tlog-proof@v1\nindex 2\n" H1 H2 H3 H3 "\n" CP5, FL_MISMATCH},
        {"c2sp.org/tlog-proof@v1\nindex 2\n" H1 H2 H3 "\n" CP5_TEXT "\n" COSIG_LINE, FL_NOT_FOUND},
    };
    for (size_t i = 0; i < T_COUNT(row); i++)
        if (check_proof(row[i].bytes, REC2) != row[i].err)
            fail_msg("row %zu gives %d", i, check_proof(row[i].bytes, REC2));

    /* written by us: the published bytes; with the record in `extra` it can be taken out again */
    struct proof_file p, q;
    struct fl_buf b = FL_BUF(PROOF_BYTES_MAX);
    assert_int_equal(proof_file_parse(PROOF, strlen(PROOF), &p, NULL), FL_OK);
    assert_false(p.has_extra);
    proof_file_write(&b, NULL, 0, p.index, &p.path, p.note, p.note_n);
    assert_string_equal(fl_buf_text(&b), PROOF);
    fl_buf_clear(&b);
    proof_file_write(&b, REC2, strlen(REC2), p.index, &p.path, p.note, p.note_n);
    assert_int_equal(proof_file_parse(b.bytes, b.len, &q, NULL), FL_OK);
    assert_true(q.has_extra);
    assert_string_equal(fl_buf_text(&q.extra), REC2);
    proof_file_fini(&q);
    proof_file_fini(&p);
    fl_buf_fini(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64),          cmocka_unit_test(worked_keys),
        cmocka_unit_test(bad_keys),        cmocka_unit_test(key_files),
        cmocka_unit_test(worked_note),     cmocka_unit_test(cosignature),
        cmocka_unit_test(malformed_notes), cmocka_unit_test(any_bit),
        cmocka_unit_test(large_notes),     cmocka_unit_test(checkpoint_texts),
        cmocka_unit_test(proof_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
