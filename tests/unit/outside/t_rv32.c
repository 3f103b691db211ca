/* SPDX-License-Identifier: Apache-2.0
 *
 * t_rv32.c: the interpreter under the real stub, on literal encodings (llvm-mc's, from the text beside each)
 * and results worked out from the unprivileged specification's words.
 */
#include "unit/t.h"

#include "outside/rv32/rv32.c"

enum { BASE = 0x1000, A1 = 11, A2 = 12 };

struct machine {
    struct rv32 cpu;
    uint8_t ram[0x2000];
    uint32_t asked, written; /* what the callbacks saw */
};

static bool reg_load(void *ctx, uint32_t addr, unsigned size, uint32_t *value)
{
    struct machine *m = ctx;
    m->asked = addr;
    *value = 0x5A5A5A5A;
    return size == 4;
}
static bool reg_store(void *ctx, uint32_t addr, unsigned size, uint32_t value)
{
    struct machine *m = ctx;
    m->asked = addr;
    m->written = value;
    return size == 4;
}
static bool rom(void *ctx, struct rv32 *cpu)
{
    struct machine *m = ctx;
    m->asked = cpu->pc;
    cpu->x[RV32_A0] += 1;
    cpu->pc = cpu->x[RV32_RA];
    return m->asked == 0x40000050;
}

static void machine_init(struct machine *m, uint32_t a1, uint32_t a2)
{
    memset(m, 0, sizeof *m);
    m->cpu.window[0] = (struct rv32_window){BASE, sizeof m->ram, m->ram};
    m->cpu.window[1] = (struct rv32_window){0x80000000, sizeof m->ram, m->ram};
    m->cpu.ctx = m;
    m->cpu.load = reg_load;
    m->cpu.store = reg_store;
    m->cpu.enter = rom;
    m->cpu.pc = BASE + 0x1000;
    m->cpu.x[A1] = a1;
    m->cpu.x[A2] = a2;
    m->cpu.x[RV32_SP] = BASE + 0x800;
}
static void put(struct machine *m, uint32_t at, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        m->ram[at - BASE + i] = (uint8_t)(word >> (8 * i));
}

static void test_results_in_a0(void **state)
{
    static const struct {
        const char *text;
        uint32_t code, a1, a2, a0;
    } rows[] = {
        {"addi a0, a1, -1", 0xFFF58513, 0, 0, 0xFFFFFFFF},
        {"lui a0, 0xfffff", 0xFFFFF537, 0, 0, 0xFFFFF000},
        {"auipc a0, 1", 0x00001517, 0, 0, BASE + 0x2000},
        {"add a0, a1, a2", 0x00C58533, 0xFFFFFFFF, 2, 1},
        {"sub a0, a1, a2", 0x40C58533, 1, 2, 0xFFFFFFFF},
        {"sll a0, a1, a2", 0x00C59533, 1, 33, 2},
        {"slt a0, a1, a2", 0x00C5A533, 0xFFFFFFFF, 0, 1},
        {"sltu a0, a1, a2", 0x00C5B533, 0xFFFFFFFF, 0, 0},
        {"xor a0, a1, a2", 0x00C5C533, 0xF0F0F0F0, 0xFF00FF00, 0x0FF00FF0},
        {"srl a0, a1, a2", 0x00C5D533, 0x80000000, 4, 0x08000000},
        {"sra a0, a1, a2", 0x40C5D533, 0x80000000, 4, 0xF8000000},
        {"sra a0, a1, a2 by 32", 0x40C5D533, 0x80000000, 32, 0x80000000},
        {"or a0, a1, a2", 0x00C5E533, 0x0F, 0xF0, 0xFF},
        {"and a0, a1, a2", 0x00C5F533, 0x1F, 0xF8, 0x18},
        {"slti a0, a1, -5", 0xFFB5A513, 0xFFFFFFF0, 0, 1},
        {"sltiu a0, a1, -5", 0xFFB5B513, 0xFFFFFFFF, 0, 0},
        {"xori a0, a1, -1", 0xFFF5C513, 0x12345678, 0, 0xEDCBA987},
        {"ori a0, a1, 0x70f", 0x70F5E513, 0xF0, 0, 0x7FF},
        {"andi a0, a1, -16", 0xFF05F513, 0x12345678, 0, 0x12345670},
        {"slli a0, a1, 31", 0x01F59513, 3, 0, 0x80000000},
        {"srli a0, a1, 4", 0x0045D513, 0xF0000000, 0, 0x0F000000},
        {"srai a0, a1, 4", 0x4045D513, 0xF0000000, 0, 0xFF000000},
        {"mul a0, a1, a2", 0x02C58533, 0x10001, 0x10001, 0x20001},
        {"mulh a0, a1, a2", 0x02C59533, 0xFFFFFFFF, 0xFFFFFFFF, 0},
        {"mulh a0, a1, a2 (-1 x 2)", 0x02C59533, 0xFFFFFFFF, 2, 0xFFFFFFFF},
        {"mulhsu a0, a1, a2", 0x02C5A533, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
        {"mulhu a0, a1, a2", 0x02C5B533, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE},
        {"div a0, a1, a2", 0x02C5C533, (uint32_t)-7, 2, (uint32_t)-3},
        {"div by zero", 0x02C5C533, 7, 0, 0xFFFFFFFF},
        {"div overflow", 0x02C5C533, 0x80000000, 0xFFFFFFFF, 0x80000000},
        {"divu a0, a1, a2", 0x02C5D533, (uint32_t)-7, 2, 0x7FFFFFFC},
        {"divu by zero", 0x02C5D533, 7, 0, 0xFFFFFFFF},
        {"rem a0, a1, a2", 0x02C5E533, (uint32_t)-7, 2, (uint32_t)-1},
        {"rem by zero", 0x02C5E533, (uint32_t)-7, 0, (uint32_t)-7},
        {"rem overflow", 0x02C5E533, 0x80000000, 0xFFFFFFFF, 0},
        {"remu a0, a1, a2", 0x02C5F533, 7, 4, 3},
        {"lb a0, -4(a1)", 0xFFC58503, BASE + 0x104, 0, 0xFFFFFF84},
        {"lh a0, -4(a1)", 0xFFC59503, BASE + 0x104, 0, 0xFFFF9384},
        {"lw a0, -4(a1)", 0xFFC5A503, BASE + 0x104, 0, 0xB1A29384},
        {"lbu a0, -4(a1)", 0xFFC5C503, BASE + 0x104, 0, 0x84},
        {"lhu a0, -4(a1)", 0xFFC5D503, BASE + 0x104, 0, 0x9384},
        {"lw through the other window", 0xFFC5A503, 0x80000104, 0, 0xB1A29384},
        {"lw of a register", 0xFFC5A503, 0x60000004, 0, 0x5A5A5A5A},
        {"fence", 0x0FF0000F, 1, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct machine m;
        machine_init(&m, rows[i].a1, rows[i].a2);
        put(&m, BASE + 0x100, 0xB1A29384);
        put(&m, m.cpu.pc, rows[i].code);
        if (rv32_run(&m.cpu, 1) != RV32_RAN || m.cpu.x[RV32_A0] != rows[i].a0 || m.cpu.pc != BASE + 0x1004)
            fail_msg("%s: a0 %08X, wanted %08X, pc %08X", rows[i].text, m.cpu.x[RV32_A0], rows[i].a0, m.cpu.pc);
    }
}

static void test_jumps_and_branches(void **state)
{
    static const struct {
        const char *text;
        uint32_t code, a1, a2, pc, ra; /* pc relative to the instruction; ra: what the link register holds */
    } rows[] = {
        {"jal ra, 2048", 0x001000EF, 0, 0, 2048, 4},
        {"jal ra, -2048", 0x801FF0EF, 0, 0, (uint32_t)-2048, 4},
        {"beq taken", 0x00C58863, 5, 5, 16, 0},
        {"beq not taken", 0x00C58863, 5, 6, 4, 0},
        {"bne a1, a2, -16", 0xFEC598E3, 5, 6, (uint32_t)-16, 0},
        {"blt a1, a2, 4094", 0x7EC5CFE3, 0xFFFFFFFF, 0, 4094, 0},
        {"bge a1, a2, -4096", 0x80C5D063, 0, 0xFFFFFFFF, (uint32_t)-4096, 0},
        {"bltu not taken", 0x00C5E863, 0xFFFFFFFF, 0, 4, 0},
        {"bgeu taken", 0x00C5F863, 0xFFFFFFFF, 0, 16, 0},
        {"c.jal 2046", 0x00002FFD, 0, 0, 2046, 2},
        {"c.j -2048", 0x0000B001, 0, 0, (uint32_t)-2048, 0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct machine m;
        machine_init(&m, rows[i].a1, rows[i].a2);
        uint32_t at = m.cpu.pc;
        put(&m, at, rows[i].code);
        if (rv32_run(&m.cpu, 1) != RV32_RAN || m.cpu.pc != at + rows[i].pc ||
            m.cpu.x[RV32_RA] != (rows[i].ra != 0 ? at + rows[i].ra : 0))
            fail_msg("%s: pc %08X, ra %08X", rows[i].text, m.cpu.pc, m.cpu.x[RV32_RA]);
    }
}

static void test_short_instructions_widen(void **state)
{
    static const struct {
        const char *text;
        uint16_t code;
        uint32_t wide;
    } rows[] = {
        {"c.addi4spn a0, sp, 1020", 0x1FE8, 0x3FC10513}, {"c.lw a0, 124(a1)", 0x5DE8, 0x07C5A503},
        {"c.sw a0, 64(a1)", 0xC1A8, 0x04A5A023},         {"c.nop", 0x0001, 0x00000013},
        {"c.addi a0, -32", 0x1501, 0xFE050513},          {"c.jal 2046", 0x2FFD, 0x7FE000EF},
        {"c.li a0, -1", 0x557D, 0xFFF00513},             {"c.addi16sp sp, -512", 0x7101, 0xE0010113},
        {"c.addi16sp sp, 496", 0x617D, 0x1F010113},      {"c.lui a0, 0xfffe0", 0x7501, 0xFFFE0537},
        {"c.lui a0, 1", 0x6505, 0x00001537},             {"c.srli a0, 31", 0x817D, 0x01F55513},
        {"c.srai a0, 31", 0x857D, 0x41F55513},           {"c.andi a0, -2", 0x9979, 0xFFE57513},
        {"c.sub a0, a1", 0x8D0D, 0x40B50533},            {"c.xor a0, a1", 0x8D2D, 0x00B54533},
        {"c.or a0, a1", 0x8D4D, 0x00B56533},             {"c.and a0, a1", 0x8D6D, 0x00B57533},
        {"c.j -2048", 0xB001, 0x801FF06F},               {"c.beqz a0, 254", 0xCD7D, 0x0E050F63},
        {"c.bnez a0, -256", 0xF101, 0xF00510E3},         {"c.slli a0, 31", 0x057E, 0x01F51513},
        {"c.lwsp a0, 252(sp)", 0x557E, 0x0FC12503},      {"c.jr a0", 0x8502, 0x00050067},
        {"c.mv a0, a1", 0x852E, 0x00B00533},             {"c.jalr a0", 0x9502, 0x000500E7},
        {"c.add a0, a1", 0x952E, 0x00B50533},            {"c.swsp a0, 252(sp)", 0xDFAA, 0x0EA12E23},
        {"all zeros: defined as no instruction", 0x0000, 0}, {"c.ebreak", 0x9002, 0},
        {"c.fld", 0x2000, 0},                            {"c.lwsp into x0", 0x4002, 0},
        {"c.addi16sp by 0", 0x6101, 0},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++)
        if (rv32_expand(rows[i].code) != rows[i].wide)
            fail_msg("%s: %08X, wanted %08X", rows[i].text, rv32_expand(rows[i].code), rows[i].wide);
}

static void test_stores_and_callbacks(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, BASE + 0x100, 0xAABBCCDD);
    put(&m, BASE + 0x1000, 0x00C582A3); /* sb a2, 5(a1) */
    put(&m, BASE + 0x1004, 0x00C59323); /* sh a2, 6(a1) */
    put(&m, BASE + 0x1008, 0xFEC5AC23); /* sw a2, -8(a1) */
    assert_int_equal(rv32_run(&m.cpu, 3), RV32_RAN);
    assert_memory_equal(m.ram + 0x104, "\x00\xDD\xDD\xCC", 4);
    assert_memory_equal(m.ram + 0xF8, "\xDD\xCC\xBB\xAA", 4);

    machine_init(&m, 0x60000008, 0x12345678);
    put(&m, BASE + 0x1000, 0xFEC5AC23); /* sw a2, -8(a1), to a register */
    assert_int_equal(rv32_run(&m.cpu, 1), RV32_RAN);
    assert_int_equal(m.asked, 0x60000000);
    assert_int_equal(m.written, 0x12345678);

    machine_init(&m, 0x40000048, 0);
    m.cpu.x[RV32_A0] = 41;
    put(&m, BASE + 0x1000, 0x008580E7); /* jalr ra, 8(a1): a ROM function, which returns */
    assert_int_equal(rv32_run(&m.cpu, 2), RV32_RAN);
    assert_int_equal(m.cpu.x[RV32_A0], 42);
    assert_int_equal(m.cpu.pc, BASE + 0x1004);
}

static void test_what_ends_a_run(void **state)
{
    static const struct {
        const char *text;
        uint32_t code, a1;
        enum rv32_stop stop;
    } rows[] = {
        {"lw a0, -4(a1) misaligned", 0xFFC5A503, BASE + 0x106, RV32_BAD_LOAD},
        {"lhu a0, -4(a1) of a register", 0xFFC5D503, 0x60000004, RV32_BAD_LOAD},
        {"sb a2, 5(a1) to a register", 0x00C582A3, 0x60000000, RV32_BAD_STORE},
        {"ecall", 0x00000073, 0, RV32_BAD_CODE},
        {"all zeros", 0x00000000, 0, RV32_BAD_CODE},
        {"all ones", 0xFFFFFFFF, 0, RV32_BAD_CODE},
        {"slli with a wrong upper part", 0x41F59513, 0, RV32_BAD_CODE},
        {"load of eight bytes", 0xFFC5B503, BASE + 0x104, RV32_BAD_CODE},
    };
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct machine m;
        machine_init(&m, rows[i].a1, 0);
        put(&m, m.cpu.pc, rows[i].code);
        if (rv32_run(&m.cpu, 5) != rows[i].stop || m.cpu.pc != BASE + 0x1000)
            fail_msg("%s", rows[i].text);
    }
    struct machine m;
    machine_init(&m, 0x70000000, 0);
    put(&m, BASE + 0x1000, 0x008580E7); /* jalr ra, 8(a1), to nowhere */
    assert_int_equal(rv32_run(&m.cpu, 2), RV32_BAD_FETCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_in_a0),
        cmocka_unit_test(test_jumps_and_branches),
        cmocka_unit_test(test_short_instructions_widen),
        cmocka_unit_test(test_stores_and_callbacks),
        cmocka_unit_test(test_what_ends_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
