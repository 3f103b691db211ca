/* SPDX-License-Identifier: Apache-2.0
 *
 * rv32.c: the interpreter. Instruction words (unprivileged specification, chapters 2, 7 and 16):
 *
 *     31      25 24  20 19  15 14 12 11   7 6      0
 *     funct7     rs2    rs1    f3    rd     opcode     R
 *     imm[11:0]         rs1    f3    rd     opcode     I
 *     imm[11:5]  rs2    rs1    f3    imm    opcode     S, B
 *     imm[31:12]                     rd     opcode     U, J
 *
 * A 16-bit instruction (lowest two bits not 11) is widened into its 32-bit equal first; there is one
 * executor.
 */
#include "outside/rv32/rv32.h"

enum { /* opcodes, the lowest seven bits */
    OP_LOAD = 0x03, OP_FENCE = 0x0F, OP_IMM = 0x13, OP_AUIPC = 0x17, OP_STORE = 0x23, OP_REG = 0x33,
    OP_LUI = 0x37, OP_BRANCH = 0x63, OP_JALR = 0x67, OP_JAL = 0x6F,
};

static uint32_t bits(uint32_t v, unsigned high, unsigned low)
{
    return (v >> low) & (uint32_t)((1ULL << (high - low + 1)) - 1);
}
static uint32_t sign(uint32_t v, unsigned width) /* extends bit width-1 upwards */
{
    uint32_t top = 1U << (width - 1);
    return (v ^ top) - top;
}

/* ---- memory ------------------------------------------------------------------------------------- */

uint8_t *rv32_memory(const struct rv32 *cpu, uint32_t addr, uint32_t n)
{
    for (size_t i = 0; i < RV32_WINDOWS; i++) {
        const struct rv32_window *w = &cpu->window[i];
        if (addr - w->base < w->size && n <= w->size - (addr - w->base))
            return w->bytes + (addr - w->base);
    }
    return NULL;
}

static uint32_t get(const uint8_t *p, unsigned size)
{
    if (size == 1)
        return p[0];
    if (size == 2)
        return (uint32_t)p[0] | (uint32_t)p[1] << 8;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool load(struct rv32 *cpu, uint32_t addr, unsigned size, uint32_t *value)
{
    const uint8_t *p = rv32_memory(cpu, addr, size);
    if ((addr & (size - 1)) == 0 && p != NULL) {
        *value = get(p, size);
        return true;
    }
    cpu->fault = addr;
    return (addr & (size - 1)) == 0 && cpu->load != NULL && cpu->load(cpu->ctx, addr, size, value);
}

static bool store(struct rv32 *cpu, uint32_t addr, unsigned size, uint32_t value)
{
    uint8_t *p = rv32_memory(cpu, addr, size);
    if ((addr & (size - 1)) == 0 && p != NULL) {
        for (unsigned i = 0; i < size; i++)
            p[i] = (uint8_t)(value >> (8 * i));
        return true;
    }
    cpu->fault = addr;
    return (addr & (size - 1)) == 0 && cpu->store != NULL && cpu->store(cpu->ctx, addr, size, value);
}

/* ---- 16-bit instructions -------------------------------------------------------------------------- */

static uint32_t enc_r(uint32_t f7, uint32_t rs2, uint32_t rs1, uint32_t f3, uint32_t rd, uint32_t op)
{
    return f7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}
static uint32_t enc_i(uint32_t imm, uint32_t rs1, uint32_t f3, uint32_t rd, uint32_t op)
{
    return imm << 20 | rs1 << 15 | f3 << 12 | rd << 7 | op;
}
static uint32_t enc_s(uint32_t imm, uint32_t rs2, uint32_t rs1, uint32_t f3)
{
    return bits(imm, 11, 5) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | bits(imm, 4, 0) << 7 | OP_STORE;
}
static uint32_t enc_b(uint32_t imm, uint32_t rs2, uint32_t rs1, uint32_t f3)
{
    return bits(imm, 12, 12) << 31 | bits(imm, 10, 5) << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 |
           bits(imm, 4, 1) << 8 | bits(imm, 11, 11) << 7 | OP_BRANCH;
}
static uint32_t enc_j(uint32_t imm, uint32_t rd)
{
    return bits(imm, 20, 20) << 31 | bits(imm, 10, 1) << 21 | bits(imm, 11, 11) << 20 |
           bits(imm, 19, 12) << 12 | rd << 7 | OP_JAL;
}

static uint32_t jump_offset(uint32_t c) /* C.J, C.JAL */
{
    return sign(bits(c, 12, 12) << 11 | bits(c, 11, 11) << 4 | bits(c, 10, 9) << 8 | bits(c, 8, 8) << 10 |
                    bits(c, 7, 7) << 6 | bits(c, 6, 6) << 7 | bits(c, 5, 3) << 1 | bits(c, 2, 2) << 5, 12);
}
static uint32_t branch_offset(uint32_t c) /* C.BEQZ, C.BNEZ */
{
    return sign(bits(c, 12, 12) << 8 | bits(c, 11, 10) << 3 | bits(c, 6, 5) << 6 | bits(c, 4, 3) << 1 |
                    bits(c, 2, 2) << 5, 9);
}

static uint32_t expand_0(uint32_t c) /* stack address, loads and stores of words by short registers */
{
    uint32_t rd = 8 + bits(c, 4, 2), rs1 = 8 + bits(c, 9, 7);
    uint32_t word = bits(c, 12, 10) << 3 | bits(c, 6, 6) << 2 | bits(c, 5, 5) << 6;
    uint32_t up = bits(c, 12, 11) << 4 | bits(c, 10, 7) << 6 | bits(c, 6, 6) << 2 | bits(c, 5, 5) << 3;
    switch (bits(c, 15, 13)) {
    case 0: return up != 0 ? enc_i(up, RV32_SP, 0, rd, OP_IMM) : 0;
    case 2: return enc_i(word, rs1, 2, rd, OP_LOAD);
    case 6: return enc_s(word, rd, rs1, 2);
    default: return 0;
    }
}

static uint32_t expand_arithmetic(uint32_t c)
{
    static const uint32_t f3[4] = {0, 4, 6, 7}; /* SUB, XOR, OR, AND */
    uint32_t rd = 8 + bits(c, 9, 7), rs2 = 8 + bits(c, 4, 2), imm = bits(c, 12, 12) << 5 | bits(c, 6, 2);
    uint32_t which = bits(c, 6, 5);
    switch (bits(c, 11, 10)) {
    case 0: return imm < 32 ? enc_i(imm, rd, 5, rd, OP_IMM) : 0;         /* SRLI */
    case 1: return imm < 32 ? enc_i(0x400 | imm, rd, 5, rd, OP_IMM) : 0; /* SRAI */
    case 2: return enc_i(sign(imm, 6), rd, 7, rd, OP_IMM);               /* ANDI */
    default:
        return bits(c, 12, 12) == 0 ? enc_r(which == 0 ? 0x20 : 0, rs2, rd, f3[which], rd, OP_REG) : 0;
    }
}

static uint32_t expand_1(uint32_t c) /* immediates, arithmetic, jumps */
{
    uint32_t rd = bits(c, 11, 7), imm = sign(bits(c, 12, 12) << 5 | bits(c, 6, 2), 6);
    uint32_t up = sign(bits(c, 12, 12) << 9 | bits(c, 6, 6) << 4 | bits(c, 5, 5) << 6 | bits(c, 4, 3) << 7 |
                           bits(c, 2, 2) << 5, 10);
    switch (bits(c, 15, 13)) {
    case 0: return enc_i(imm, rd, 0, rd, OP_IMM); /* ADDI, NOP */
    case 1: return enc_j(jump_offset(c), RV32_RA);
    case 2: return enc_i(imm, 0, 0, rd, OP_IMM); /* LI */
    case 3:
        if (rd == RV32_SP)
            return up != 0 ? enc_i(up, RV32_SP, 0, RV32_SP, OP_IMM) : 0;
        return imm != 0 ? imm << 12 | rd << 7 | OP_LUI : 0;
    case 4: return expand_arithmetic(c);
    case 5: return enc_j(jump_offset(c), 0);
    case 6: return enc_b(branch_offset(c), 0, 8 + bits(c, 9, 7), 0);
    default: return enc_b(branch_offset(c), 0, 8 + bits(c, 9, 7), 1);
    }
}

static uint32_t expand_2(uint32_t c) /* shifts, stack loads and stores, register jumps, moves */
{
    uint32_t rd = bits(c, 11, 7), rs2 = bits(c, 6, 2), high = bits(c, 12, 12);
    switch (bits(c, 15, 13)) {
    case 0: return high == 0 ? enc_i(rs2, rd, 1, rd, OP_IMM) : 0; /* SLLI */
    case 2: /* LWSP */
        return rd != 0 ? enc_i(high << 5 | bits(c, 6, 4) << 2 | bits(c, 3, 2) << 6, RV32_SP, 2, rd, OP_LOAD) : 0;
    case 4:
        if (rs2 == 0) /* JR, JALR; EBREAK where rd is 0 too */
            return rd != 0 ? enc_i(0, rd, 0, high, OP_JALR) : 0;
        return enc_r(0, rs2, high != 0 ? rd : 0, 0, rd, OP_REG); /* ADD, MV */
    case 6: return enc_s(bits(c, 12, 9) << 2 | bits(c, 8, 7) << 6, rs2, RV32_SP, 2);
    default: return 0;
    }
}

uint32_t rv32_expand(uint16_t c)
{
    switch (c & 3U) {
    case 0: return expand_0(c);
    case 1: return expand_1(c);
    case 2: return expand_2(c);
    default: return 0;
    }
}

/* ---- execution -------------------------------------------------------------------------------------- */

static uint32_t multiply(uint32_t f3, uint32_t a, uint32_t b)
{
    int64_t sa = (int32_t)a, sb = (int32_t)b;
    bool overflow = a == 0x80000000U && b == UINT32_MAX;
    switch (f3) {
    case 0: return a * b;
    case 1: return (uint32_t)((uint64_t)(sa * sb) >> 32);               /* MULH */
    case 2: return (uint32_t)((uint64_t)(sa * (int64_t)(uint64_t)b) >> 32); /* MULHSU */
    case 3: return (uint32_t)((uint64_t)a * b >> 32);                   /* MULHU */
    case 4: return b == 0 ? UINT32_MAX : overflow ? a : (uint32_t)(sa / sb);
    case 5: return b == 0 ? UINT32_MAX : a / b;
    case 6: return b == 0 ? a : overflow ? 0 : (uint32_t)(sa % sb);
    default: return b == 0 ? a : a % b;
    }
}

static uint32_t shift_right_signed(uint32_t a, uint32_t n)
{
    uint32_t fill = (a >> 31) != 0 && n != 0 ? ~(UINT32_MAX >> n) : 0;
    return a >> n | fill;
}

/* `alt` is bit 30 of the word: SUB for ADD, SRA for SRL. */
static uint32_t arithmetic(uint32_t f3, bool alt, uint32_t a, uint32_t b)
{
    switch (f3) {
    case 0: return alt ? a - b : a + b;
    case 1: return a << (b & 31);
    case 2: return (int32_t)a < (int32_t)b;
    case 3: return a < b;
    case 4: return a ^ b;
    case 5: return alt ? shift_right_signed(a, b & 31) : a >> (b & 31);
    case 6: return a | b;
    default: return a & b;
    }
}

static bool taken(uint32_t f3, uint32_t a, uint32_t b)
{
    bool r = (f3 & 6) == 0 ? a == b : (f3 & 6) == 4 ? (int32_t)a < (int32_t)b : a < b;
    return r != ((f3 & 1) != 0);
}

static enum rv32_stop do_load(struct rv32 *cpu, uint32_t word, uint32_t addr, uint32_t rd)
{
    uint32_t f3 = bits(word, 14, 12), value = 0;
    if (f3 == 3 || f3 > 5)
        return RV32_BAD_CODE;
    if (!load(cpu, addr, 1U << (f3 & 3), &value))
        return RV32_BAD_LOAD;
    cpu->x[rd] = f3 == 0 ? sign(value, 8) : f3 == 1 ? sign(value, 16) : value;
    return RV32_RAN;
}

static enum rv32_stop do_register(struct rv32 *cpu, uint32_t word, uint32_t a, uint32_t b, uint32_t rd)
{
    uint32_t f3 = bits(word, 14, 12), f7 = bits(word, 31, 25);
    if (f7 == 1)
        cpu->x[rd] = multiply(f3, a, b);
    else if (f7 == 0 || (f7 == 0x20 && (f3 == 0 || f3 == 5)))
        cpu->x[rd] = arithmetic(f3, f7 != 0, a, b);
    else
        return RV32_BAD_CODE;
    return RV32_RAN;
}

static enum rv32_stop do_immediate(struct rv32 *cpu, uint32_t word, uint32_t a, uint32_t rd)
{
    uint32_t f3 = bits(word, 14, 12), f7 = bits(word, 31, 25), imm = sign(bits(word, 31, 20), 12);
    if ((f3 == 1 && f7 != 0) || (f3 == 5 && f7 != 0 && f7 != 0x20))
        return RV32_BAD_CODE;
    cpu->x[rd] = arithmetic(f3, f3 == 5 && f7 != 0, a, imm);
    return RV32_RAN;
}

/* One instruction of `length` bytes. pc moves only when it succeeds. */
static enum rv32_stop execute(struct rv32 *cpu, uint32_t word, uint32_t length)
{
    uint32_t rd = bits(word, 11, 7), a = cpu->x[bits(word, 19, 15)], b = cpu->x[bits(word, 24, 20)];
    uint32_t f3 = bits(word, 14, 12), next = cpu->pc + length;
    enum rv32_stop r = RV32_RAN;
    switch (word & 0x7F) {
    case OP_LUI: cpu->x[rd] = word & 0xFFFFF000U; break;
    case OP_AUIPC: cpu->x[rd] = cpu->pc + (word & 0xFFFFF000U); break;
    case OP_JAL:
        cpu->x[rd] = next;
        next = cpu->pc + sign(bits(word, 31, 31) << 20 | bits(word, 19, 12) << 12 | bits(word, 20, 20) << 11 |
                                  bits(word, 30, 21) << 1, 21);
        break;
    case OP_JALR:
        if (f3 != 0)
            return RV32_BAD_CODE;
        cpu->x[rd] = next;
        next = (a + sign(bits(word, 31, 20), 12)) & ~1U;
        break;
    case OP_BRANCH:
        if (f3 == 2 || f3 == 3)
            return RV32_BAD_CODE;
        if (taken(f3, a, b))
            next = cpu->pc + sign(bits(word, 31, 31) << 12 | bits(word, 7, 7) << 11 |
                                      bits(word, 30, 25) << 5 | bits(word, 11, 8) << 1, 13);
        break;
    case OP_LOAD: r = do_load(cpu, word, a + sign(bits(word, 31, 20), 12), rd); break;
    case OP_STORE:
        if (f3 > 2)
            return RV32_BAD_CODE;
        if (!store(cpu, a + sign(bits(word, 31, 25) << 5 | bits(word, 11, 7), 12), 1U << f3, b))
            return RV32_BAD_STORE;
        break;
    case OP_IMM: r = do_immediate(cpu, word, a, rd); break;
    case OP_REG: r = do_register(cpu, word, a, b, rd); break;
    case OP_FENCE: break; /* one hart, everything in order */
    default: return RV32_BAD_CODE;
    }
    cpu->x[0] = 0;
    if (r == RV32_RAN)
        cpu->pc = next;
    return r;
}

enum rv32_stop rv32_run(struct rv32 *cpu, uint64_t budget)
{
    enum rv32_stop r = RV32_RAN;
    for (cpu->stop = false; budget > 0 && r == RV32_RAN && !cpu->stop; budget--) {
        const uint8_t *p = rv32_memory(cpu, cpu->pc, 2);
        if ((cpu->pc & 1) != 0)
            r = RV32_BAD_FETCH;
        else if (p == NULL)
            r = cpu->enter != NULL && cpu->enter(cpu->ctx, cpu) ? RV32_RAN : RV32_BAD_FETCH;
        else if ((p[0] & 3) != 3)
            r = execute(cpu, rv32_expand((uint16_t)get(p, 2)), 2);
        else if (rv32_memory(cpu, cpu->pc, 4) == NULL)
            r = RV32_BAD_FETCH;
        else
            r = execute(cpu, get(p, 4), 4);
    }
    return r;
}
