// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Classic BPF as an XDP program, instruction by instruction.
 *
 * r6 context, r7 A, r8 X, r9 start of the frame, M[] on the stack; r0 to r5 are scratch. A load
 * beyond the frame ends classic programs with "no match", and so it does here. Drivers choose what
 * of a multi-buffer frame its first buffer has: what isn't there is fetched by a helper.
 */
#include "filter_xdp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/filter.h>

#include "xdp_sampler.h"

#define REG_CTX	 BPF_REG_6
#define REG_A	 BPF_REG_7
#define REG_X	 BPF_REG_8
#define REG_DATA BPF_REG_9

/* No classic instruction takes more, and neither do the two ends. */
#define EXPANSION_MAX 24
#define PROLOGUE_MAX  24
/* Beyond it the verifier takes no offset into a packet. */
#define OFFSET_MAX 0x3fff
/* Beyond it bpf_xdp_load_bytes gives nothing, and no frame is longer. */
#define FRAME_OFFSET_MAX 0xffff
/* Where octets of other buffers go: behind M[]. */
#define FETCHED (-4 * BPF_MEMWORDS - 8)

enum end {
	END_MATCH,
	END_NO_MATCH,
	ENDS,
};

/**
 * struct translation - eBPF in the making
 * @starts: index in @out where each classic instruction, and then each end, begins
 * @targets: for jumps of @out: classic index, or count + enum end; -1: no jump, or one within
 *	an instruction's expansion
 * @frags: the frame may have more than its first buffer
 */
struct translation {
	struct bpf_insn *out;
	size_t length;
	size_t *starts;
	long *targets;
	size_t count;
	bool frags;
};

static void emit(struct translation *t, struct bpf_insn insn)
{
	t->targets[t->length] = -1;
	t->out[t->length++] = insn;
}

static void emit_jump(struct translation *t, struct bpf_insn insn, long target)
{
	emit(t, insn);
	t->targets[t->length - 1] = target;
}

static void emit_op(struct translation *t, uint8_t code, uint8_t to, uint8_t from, int16_t offset,
		    int32_t value)
{
	emit(t, (struct bpf_insn){ .code = code,
				   .dst_reg = to,
				   .src_reg = from,
				   .off = offset,
				   .imm = value });
}

static void emit_move(struct translation *t, uint8_t to, uint8_t from)
{
	emit_op(t, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

static void emit_move32(struct translation *t, uint8_t to, uint8_t from)
{
	emit_op(t, BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0);
}

static void emit_set(struct translation *t, uint8_t to, int32_t value)
{
	emit_op(t, BPF_ALU | BPF_MOV | BPF_K, to, 0, 0, value);
}

static long no_match(const struct translation *t)
{
	return t->count + END_NO_MATCH;
}

/* M[@index] is at most 32 bits wide. */
static int16_t memory_offset(uint32_t index)
{
	return -4 * (int16_t)(index + 1);
}

static void emit_prologue(struct translation *t)
{
	int i;

	emit_move(t, REG_CTX, BPF_REG_1);
	emit_op(t, BPF_LDX | BPF_MEM | BPF_W, REG_DATA, REG_CTX, offsetof(struct xdp_md, data), 0);
	emit_set(t, REG_A, 0);
	emit_set(t, REG_X, 0);
	for (i = 0; i < BPF_MEMWORDS; i++)
		emit_op(t, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, memory_offset(i), 0);
}

static void emit_jump_beyond(struct translation *t, uint8_t reg, int32_t most, long target)
{
	emit_jump(
		t,
		(struct bpf_insn){ .code = BPF_JMP | BPF_JGT | BPF_K, .dst_reg = reg, .imm = most },
		target);
}

/* Jump forward to what is emitted next. */
static void land(struct translation *t, size_t jump)
{
	t->out[jump].off = t->length - jump - 1;
}

/* @to = P[@offset + @index], from whichever buffer. */
static void emit_fetch(struct translation *t, uint8_t to, uint8_t index, uint32_t offset,
		       uint8_t size, uint32_t octets)
{
	emit_set(t, BPF_REG_2, offset);
	if (index) {
		emit_move32(t, BPF_REG_3, index);
		emit_jump_beyond(t, BPF_REG_3, FRAME_OFFSET_MAX, no_match(t));
		emit_op(t, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
	}
	emit_move(t, BPF_REG_1, REG_CTX);
	emit_move(t, BPF_REG_3, BPF_REG_10);
	emit_op(t, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, FETCHED);
	emit_set(t, BPF_REG_4, octets);
	emit_op(t, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_xdp_load_bytes);
	emit_jump(t, (struct bpf_insn){ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_0 },
		  no_match(t));
	emit_op(t, BPF_LDX | BPF_MEM | size, to, BPF_REG_10, FETCHED, 0);
}

/* @to = P[@offset + @index], for as long as the first buffer has it, else on to @beyond. */
static void emit_direct(struct translation *t, uint8_t to, uint8_t index, uint32_t offset,
			uint8_t size, uint32_t octets, long beyond, size_t jumps[2])
{
	emit_move(t, BPF_REG_4, REG_DATA);
	jumps[0] = t->length;
	if (index) {
		emit_move32(t, BPF_REG_3, index);
		jumps[0] = t->length;
		emit_jump_beyond(t, BPF_REG_3, OFFSET_MAX, beyond);
		emit_op(t, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_4, BPF_REG_3, 0, 0);
	}
	emit_op(t, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, REG_CTX, offsetof(struct xdp_md, data_end),
		0);
	emit_move(t, BPF_REG_5, BPF_REG_4);
	emit_op(t, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_5, 0, 0, offset + octets);
	jumps[1] = t->length;
	if (!index)
		jumps[0] = jumps[1];
	emit_jump(t,
		  (struct bpf_insn){ .code = BPF_JMP | BPF_JGT | BPF_X,
				     .dst_reg = BPF_REG_5,
				     .src_reg = BPF_REG_2 },
		  beyond);
	emit_op(t, BPF_LDX | BPF_MEM | size, to, BPF_REG_4, offset, 0);
}

/* @to = P[@index + offset], big endian; @index: register, or 0 for none. */
static int emit_load(struct translation *t, uint8_t to, uint8_t index, uint32_t offset,
		     uint8_t size)
{
	uint32_t octets = size == BPF_W ? 4 : size == BPF_H ? 2 : 1;
	size_t beyond[2], done;

	if (offset > FRAME_OFFSET_MAX || (offset > OFFSET_MAX && !t->frags))
		return -EOPNOTSUPP;
	if (offset > OFFSET_MAX) {
		emit_fetch(t, to, index, offset, size, octets);
	} else if (!t->frags) {
		emit_direct(t, to, index, offset, size, octets, no_match(t), beyond);
	} else {
		emit_direct(t, to, index, offset, size, octets, -1, beyond);
		done = t->length;
		emit_op(t, BPF_JMP | BPF_JA, 0, 0, 0, 0);
		land(t, beyond[0]);
		land(t, beyond[1]);
		emit_fetch(t, to, index, offset, size, octets);
		land(t, done);
	}
	if (octets > 1)
		emit_op(t, BPF_ALU | BPF_END | BPF_TO_BE, to, 0, 0, octets * 8);
	return 0;
}

/* @to = length of the frame: its first buffer is all there is without frags. */
static void emit_length(struct translation *t, uint8_t to)
{
	if (t->frags) {
		emit_move(t, BPF_REG_1, REG_CTX);
		emit_op(t, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_xdp_get_buff_len);
		emit_move32(t, to, BPF_REG_0);
		return;
	}
	emit_op(t, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, REG_CTX, offsetof(struct xdp_md, data_end),
		0);
	emit_move(t, BPF_REG_3, REG_DATA);
	emit_op(t, BPF_ALU64 | BPF_SUB | BPF_X, BPF_REG_2, BPF_REG_3, 0, 0);
	emit_move32(t, to, BPF_REG_2);
}

static int emit_ld(struct translation *t, const struct classic_insn *insn)
{
	uint8_t to = BPF_CLASS(insn->code) == BPF_LD ? REG_A : REG_X;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		emit_set(t, to, insn->k);
		return 0;
	case BPF_MEM:
		if (insn->k >= BPF_MEMWORDS)
			return -EOPNOTSUPP;
		emit_op(t, BPF_LDX | BPF_MEM | BPF_W, to, BPF_REG_10, memory_offset(insn->k), 0);
		return 0;
	case BPF_LEN:
		emit_length(t, to);
		return 0;
	case BPF_ABS:
		return emit_load(t, to, 0, insn->k, BPF_SIZE(insn->code));
	case BPF_IND:
		return emit_load(t, to, REG_X, insn->k, BPF_SIZE(insn->code));
	case BPF_MSH:
		if (emit_load(t, to, 0, insn->k, BPF_B))
			return -EOPNOTSUPP;
		emit_op(t, BPF_ALU | BPF_AND | BPF_K, to, 0, 0, 0xf);
		emit_op(t, BPF_ALU | BPF_LSH | BPF_K, to, 0, 0, 2);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int emit_alu(struct translation *t, const struct classic_insn *insn)
{
	uint8_t operation = BPF_OP(insn->code);
	bool by_x = BPF_SRC(insn->code) == BPF_X;

	if (operation == BPF_DIV || operation == BPF_MOD) {
		if (by_x)
			emit_jump(t,
				  (struct bpf_insn){ .code = BPF_JMP32 | BPF_JEQ | BPF_K,
						     .dst_reg = REG_X },
				  no_match(t));
		else if (!insn->k)
			return -EOPNOTSUPP;
	}
	/* Beyond 31 classic BPF gives 0, and eBPF takes the remainder. */
	if ((operation == BPF_LSH || operation == BPF_RSH) && (by_x || insn->k > 31))
		return -EOPNOTSUPP;
	switch (operation) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_DIV:
	case BPF_MOD:
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
	case BPF_LSH:
	case BPF_RSH:
		emit_op(t, BPF_ALU | operation | (by_x ? BPF_X : BPF_K), REG_A, by_x ? REG_X : 0, 0,
			by_x ? 0 : insn->k);
		return 0;
	case BPF_NEG:
		emit_op(t, BPF_ALU | BPF_NEG, REG_A, 0, 0, 0);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int emit_branch(struct translation *t, const struct classic_insn *insn, size_t index)
{
	bool by_x = BPF_SRC(insn->code) == BPF_X;
	uint8_t operation = BPF_OP(insn->code);
	const struct bpf_insn always = { .code = BPF_JMP | BPF_JA };

	switch (operation) {
	case BPF_JA:
		emit_jump(t, always, index + 1 + insn->k);
		return 0;
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		emit_jump(t,
			  (struct bpf_insn){ .code = BPF_JMP32 | operation | (by_x ? BPF_X : BPF_K),
					     .dst_reg = REG_A,
					     .src_reg = by_x ? REG_X : 0,
					     .imm = by_x ? 0 : insn->k },
			  index + 1 + insn->jump_true);
		emit_jump(t, always, index + 1 + insn->jump_false);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int emit_return(struct translation *t, const struct classic_insn *insn)
{
	const struct bpf_insn always = { .code = BPF_JMP | BPF_JA };

	if (BPF_RVAL(insn->code) == BPF_A) {
		emit_jump(t,
			  (struct bpf_insn){ .code = BPF_JMP32 | BPF_JEQ | BPF_K,
					     .dst_reg = REG_A },
			  no_match(t));
		emit_jump(t, always, t->count + END_MATCH);
		return 0;
	}
	emit_jump(t, always, t->count + (insn->k ? END_MATCH : END_NO_MATCH));
	return 0;
}

static int emit_classic(struct translation *t, const struct classic_insn *insn, size_t index)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		return emit_ld(t, insn);
	case BPF_ST:
	case BPF_STX:
		if (insn->k >= BPF_MEMWORDS)
			return -EOPNOTSUPP;
		emit_op(t, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10,
			BPF_CLASS(insn->code) == BPF_ST ? REG_A : REG_X, memory_offset(insn->k), 0);
		return 0;
	case BPF_ALU:
		return emit_alu(t, insn);
	case BPF_JMP:
		return emit_branch(t, insn, index);
	case BPF_RET:
		return emit_return(t, insn);
	case BPF_MISC:
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			emit_move32(t, REG_X, REG_A);
		else
			emit_move32(t, REG_A, REG_X);
		return 0;
	}
	return -EOPNOTSUPP;
}

/* Tail-call @stage; what follows is for the verifier, as both stages are always there. */
static void emit_end(struct translation *t, int stages, uint32_t stage)
{
	emit_move(t, BPF_REG_1, REG_CTX);
	emit_op(t, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, stages);
	emit_op(t, 0, 0, 0, 0, 0);
	emit_set(t, BPF_REG_3, stage);
	emit_op(t, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call);
	emit_set(t, BPF_REG_0, XDP_PASS);
	emit_op(t, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int resolve_jumps(struct translation *t)
{
	size_t i;
	long distance;

	for (i = 0; i < t->length; i++) {
		if (t->targets[i] < 0)
			continue;
		if ((size_t)t->targets[i] >= t->count + ENDS)
			return -EOPNOTSUPP;
		distance = (long)t->starts[t->targets[i]] - (long)i - 1;
		if (distance > INT16_MAX || distance < 0)
			return -EOPNOTSUPP;
		t->out[i].off = distance;
	}
	return 0;
}

static int translate(struct translation *t, const struct classic_insn *code, int stages)
{
	size_t i;
	int err = 0;

	emit_prologue(t);
	for (i = 0; i < t->count && !err; i++) {
		t->starts[i] = t->length;
		err = emit_classic(t, &code[i], i);
	}
	t->starts[t->count + END_MATCH] = t->length;
	emit_end(t, stages, SAMPLER_STAGE_MARK);
	t->starts[t->count + END_NO_MATCH] = t->length;
	emit_end(t, stages, SAMPLER_STAGE_SKIP);
	return err ? err : resolve_jumps(t);
}

int filter_xdp_load(const struct classic_insn *code, size_t count, int stages, bool frags)
{
	size_t room = count * EXPANSION_MAX + PROLOGUE_MAX + ENDS * EXPANSION_MAX;
	struct translation t = {
		.out = calloc(room, sizeof(*t.out)),
		.starts = calloc(count + ENDS, sizeof(*t.starts)),
		.targets = calloc(room, sizeof(*t.targets)),
		.count = count,
		.frags = frags,
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = frags ? BPF_F_XDP_HAS_FRAGS : 0);
	int result = -ENOMEM;

	if (t.out && t.starts && t.targets) {
		result = translate(&t, code, stages);
		if (!result) {
			result = bpf_prog_load(BPF_PROG_TYPE_XDP, "sampler_filter", "Dual BSD/GPL",
					       t.out, t.length, &options);
			/* Too long or too deep for this kernel's verifier: user space can. */
			if (result < 0)
				result = errno == EPERM ? -EPERM : -EOPNOTSUPP;
		}
	}
	free(t.out);
	free(t.starts);
	free(t.targets);
	return result;
}
