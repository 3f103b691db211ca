/* SPDX-License-Identifier: Apache-2.0
 * Scenario files: what they set, and every refusal with its place. */
#include "unit/t.h"

#include "base/file.h"
#include "sim/scenario.h"

#include <unistd.h>

static enum fl_err load(const char *yaml, struct sim_spec *specs, unsigned n, uint64_t *seed,
                        struct fl_why *why)
{
    char path[] = "/tmp/t_scenario.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
    (void)close(fd);
    enum fl_err err = sim_scenario_load(path, sim_chip_find("esp32"), false, seed, specs, n, why);
    (void)unlink(path);
    char *at = err ? strstr(why->text, path) : NULL;
    if (at)
        memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
    return err;
}

static void all_keys(void **state)
{
    static const char yaml[] =
        "seed: 77\n"
        "timing: {usb_us: 500, page_us: 700}\n"
        "defaults: {chip: esp32c3, flash: {size: 8MB}, faults: [echo]}\n"
        "boards:\n"
        "  - board: 2\n"
        "    chip: esp32\n"
        "    mac: \"24:6f:28:AB:cd:01\"\n"
        "    revision: \"1.1\"\n"
        "    calibration: 1.02\n"
        "    power_up: download\n"
        "    telnet: off\n"
        "    bridge: {kind: ch9102, burst: 2K, gap_us: 3000, loss: 0.5}\n"
        "    flash: {size: 16M, jedec: 0x1840C8, stuck: [0x20000, 64K], protected: yes, slow: 2.5}\n"
        "    security: {secure_boot: true, flash_encryption: true}\n"
        "    timing: {en_us: 100000}\n"
        "    faults:\n"
        "      - silent\n"
        "      - {kind: flip, dir: to_host, op: 0x11, nth: 3, at: 12, rate: 0.25, count: 0, byte: 0x40}\n"
        "      - {kind: drop, at: close}\n"
        "      - {kind: nak, op: 3, code: 0xC100}\n"
        "      - {kind: unplug, nth: 9, ms: 250}\n"
        "      - {kind: baud_limit, above: 460800}\n";
    struct sim_spec s[3];
    uint64_t seed = 1;
    struct fl_why why = {0};
    (void)state;
    assert_int_equal(load(yaml, s, 3, &seed, &why), FL_OK);
    assert_int_equal(seed, 77);
    assert_string_equal(s[0].chip->name, "esp32c3");
    assert_int_equal(s[0].flash.size, 8 << 20);
    assert_int_equal(s[0].flash.jedec, 0x1740EF); /* its capacity byte follows the size */
    assert_int_equal(s[0].n_faults, 1);
    assert_int_equal(s[0].timing.page_us, 700);
    assert_int_equal(s[0].timing.sector_us, 45000);
    assert_string_equal(s[1].chip->name, "esp32");
    assert_memory_equal(s[1].mac, "\x24\x6F\x28\xAB\xCD\x01", 6);
    assert_int_equal(s[1].revision, 101);
    assert_true(s[1].calibration > 1.019 && s[1].calibration < 1.021);
    assert_int_equal(s[1].power_up, SIM_POWER_UP_DOWNLOAD);
    assert_false(s[1].telnet);
    assert_int_equal(s[1].bridge.kind, SIM_CH9102);
    assert_int_equal(s[1].bridge.burst, 2048);
    assert_int_equal(s[1].bridge.gap_us, 3000);
    assert_int_equal(s[1].flash.size, 16 << 20);
    assert_int_equal(s[1].flash.jedec, 0x1840C8);
    assert_int_equal(s[1].flash.n_stuck, 2);
    assert_int_equal(s[1].flash.stuck[1], 65536);
    assert_true(s[1].flash.protect && !s[1].flash.locked);
    assert_true(s[1].security.secure_boot && s[1].security.flash_encryption && !s[1].security.secure_download);
    assert_int_equal(s[1].timing.en_us, 100000);
    assert_int_equal(s[1].timing.usb_us, 500);
    assert_int_equal(s[1].n_faults, 6);
    const struct sim_fault *f = s[1].faults;
    assert_int_equal(f[0].kind, SIM_FAULT_SILENT);
    assert_true(f[1].kind == SIM_FAULT_FLIP && f[1].dir == SIM_TO_HOST && f[1].op == 0x11 && f[1].nth == 3 &&
                f[1].at == 12 && f[1].rate == 0.25 && f[1].count == 0 && f[1].byte == 0x40);
    assert_true(f[2].kind == SIM_FAULT_DROP && f[2].at == SIM_AT_CLOSE && f[2].count == 1 && f[2].op == SIM_OP_ANY);
    assert_true(f[3].kind == SIM_FAULT_NAK && f[3].code == 0xC100);
    assert_true(f[4].kind == SIM_FAULT_UNPLUG && f[4].ms == 250);
    assert_true(f[5].above == 460800 && f[5].rate == 0.01);
    assert_string_equal(s[2].chip->name, "esp32c3");
}

static void empty(void **state)
{
    struct sim_spec s[2];
    uint64_t seed = 5;
    struct fl_why why = {0};
    (void)state;
    assert_int_equal(load("", s, 2, &seed, &why), FL_OK);
    assert_int_equal(seed, 5);
    assert_string_equal(s[1].chip->name, "esp32");
    assert_int_equal(sim_scenario_load(NULL, sim_chip_find("esp32"), true, &seed, s, 2, &why), FL_OK);
    assert_true(s[0].pace_real && s[1].number == 2);
    assert_int_equal(sim_scenario_load("/nowhere/x.yaml", sim_chip_find("esp32"), true, &seed, s, 2, &why),
                     FL_NOT_FOUND);
}

static void refusals(void **state)
{
    static const struct {
        const char *yaml, *says; /* behind the file's name */
    } row[] = {
        {"boards:\n  - {board: 1, bord: 2}\n", ":2:16: there is no key 'bord' here"},
        {"boards:\n  - {board: 1, chip: esp33}\n", ":2:22: there is no chip 'esp33'"},
        {"boards:\n  - {board: 3}\n", ":2:13: there is no board 3: they are 1 to 2"},
        {"boards:\n  - {board: 0}\n", ":2:13: there is no board 0"},
        {"boards:\n  - {board: 1}\n  - {board: 1}\n", ":3:13: board 1 stands here twice"},
        {"boards:\n  - {chip: esp32}\n", ":2:5: a board needs its number"},
        {"boards: 3\n", ":1:9: expected a list"},
        {"sede: 3\n", ":1:1: there is no key 'sede' here; known are seed, timing, defaults, boards"},
        {"seed: x\n", ":1:7: expected a whole number, not 'x'"},
        {"seed: 1\nseed: 2\n", ":2:1: 'seed' stands here twice"},
        {"defaults: {mac: \"24:6f:28:00:00:01\"}\n", ":1:12: there is no key 'mac' here"},
        {"defaults: {flash: {size: 3MB}}\n", ":1:26: a flash has 64KB to 256MB, a power of two"},
        {"defaults: {flash: {size: big}}\n", ":1:26: expected a size as 4MB or 0x400000, not 'big'"},
        {"defaults: {flash: {dead: perhaps}}\n", ":1:26: 'perhaps' is none of false, true, no, yes, off, on"},
        {"defaults: {bridge: cp2105}\n", ":1:20: 'cp2105' is none of cp2104, ch9102, ft232, ch340, usb_jtag"},
        {"defaults: {revision: 3}\n", ":1:22: expected a revision as \"3.1\", not '3'"},
        {"boards:\n  - {board: 1, mac: 24-6f}\n", ":2:21: expected a MAC as 24:6f:28:00:00:01, not '24-6f'"},
        {"defaults: {faults: [{rate: 1}]}\n", ":1:21: a fault needs a kind"},
        {"defaults: {faults: [flop]}\n", ":1:21: 'flop' is none of flip, drop, dup"},
        {"defaults: {faults: [{kind: flip, rate: 2}]}\n", ":1:40: expected a number from 0 to 1, not '2'"},
        {"defaults: {faults: [{kind: flip, op: 0x100}]}\n", ":1:38: 0x100 is too large: at most 255"},
        {"defaults: {faults: [baud_limit]}\n", ":1:21: baud_limit needs above"},
        {"timing: {page_us: -1}\n", ":1:19: expected a whole number, not '-1'"},
        {"boards: [\n", ":2:1: did not find expected node content"},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct sim_spec s[2];
        uint64_t seed = 1;
        struct fl_why why = {0};
        assert_int_equal(load(row[i].yaml, s, 2, &seed, &why), FL_FORMAT);
        if (strncmp(why.text, row[i].says, strlen(row[i].says)) != 0)
            print_error("%s   says %s\n   not  %s\n", row[i].yaml, why.text, row[i].says);
        assert_memory_equal(why.text, row[i].says, strlen(row[i].says));
    }
}

/* The README knows every fault, every bridge and every chip, and each of its examples is accepted. */
static void what_the_readme_says(void **state)
{
    struct fl_buf text = FL_BUF(1 << 20);
    char row[80], yaml[4000];
    struct sim_spec s[2];
    uint64_t seed = 1;
    struct fl_why why = {0};
    size_t examples = 0;
    (void)state;
    assert_int_equal(fl_file_read("station/sim/README.md", &text, &why), FL_OK);
    const char *readme = fl_buf_text(&text);
    for (int i = 0; i < SIM_FAULT_KINDS; i++) {
        snprintf(row, sizeof row, "\n| `%s` |", sim_fault_rows[i].name);
        if (!strstr(readme, row))
            print_error("no row for %s\n", sim_fault_rows[i].name);
        assert_non_null(strstr(readme, row));
    }
    for (int i = 0; sim_bridge_names[i]; i++) {
        snprintf(row, sizeof row, "`%s`", sim_bridge_names[i]);
        assert_non_null(strstr(readme, row));
    }
    for (const char *at = readme; (at = strstr(at, "`{kind: ")); at++, examples++) {
        const char *end = strchr(at + 1, '`');
        if (strncmp(at, "`{kind: NAME", 12) == 0)
            continue;
        snprintf(yaml, sizeof yaml, "defaults: {faults: [%.*s]}\n", (int)(end - at - 1), at + 1);
        if (load(yaml, s, 2, &seed, &why) != FL_OK)
            print_error("%s", yaml);
        assert_int_equal(load(yaml, s, 2, &seed, &why), FL_OK);
    }
    assert_true(examples > 14);
    const char *from = strstr(readme, "```yaml\n") + 8, *to = strstr(from, "```");
    snprintf(yaml, sizeof yaml, "%.*s", (int)(to - from), from);
    assert_int_equal(load(yaml, s, 2, &seed, &why), FL_OK);
    assert_int_equal(s[1].bridge.kind, SIM_CH9102);
    fl_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_keys), cmocka_unit_test(empty), cmocka_unit_test(refusals),
        cmocka_unit_test(what_the_readme_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
