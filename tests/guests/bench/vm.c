/* vm.c - a bytecode interpreter in one switch: the br_table dispatch of interpreters.
 *
 * Usage: vm.wasm [N]       N: times the programs below run
 * The machine has a stack of 64-bit integers, local variables in frames, and calls. Programs are
 * assembled from text with labels, so they can be read here and are not tuned to the machine. */
#include "bench.h"

#include <stdbool.h>

enum op { PUSH, LOAD, STORE, ADD, SUB, MUL, MOD, XOR, LESS, EQUAL, JUMP, JUMP_IF, CALL, RETURN, GET, SET, HALT, OPS };

static const char *const OP_NAMES[OPS] = {"push", "load",  "store", "add",     "sub",  "mul",    "mod", "xor", "less",
                                          "equal", "jump", "jump_if", "call", "return", "get", "set", "halt"};
static const bool HAS_OPERAND[OPS] = {[PUSH] = true, [LOAD] = true,    [STORE] = true,
                                      [JUMP] = true, [JUMP_IF] = true, [CALL] = true};

enum { MAX_CODE = 256, MAX_LABELS = 32, STACK = 4096, FRAMES = 1024, LOCALS = 4, HEAP = 1 << 16 };

struct program {
    uint8_t op[MAX_CODE];
    int32_t operand[MAX_CODE];
    int length;
};

struct label {
    char name[16];
    int address;
};

static void fail(const char *what, const char *word) {
    fprintf(stderr, "vm: %s: %s\n", what, word);
    exit(1);
}

static const char *next_word(const char *source, char word[16]) {
    size_t n = 0;
    source += strspn(source, " \n");
    while (*source && *source != ' ' && *source != '\n' && n < 15) word[n++] = *source++;
    word[n] = 0;
    return n ? source : NULL;
}

static int find_label(const struct label *labels, int count, const char *name) {
    for (int i = 0; i < count; i++)
        if (strcmp(labels[i].name, name) == 0) return labels[i].address;
    fail("unknown label", name);
    return 0;
}

/* Two passes: the first places labels ("name:"), the second emits with their addresses. */
static void assemble(const char *source, struct program *program) {
    struct label labels[MAX_LABELS];
    int label_count = 0;
    char word[16];
    for (int pass = 0; pass < 2; pass++) {
        program->length = 0;
        for (const char *at = source; (at = next_word(at, word));) {
            size_t n = strlen(word);
            if (word[n - 1] == ':') {
                if (pass == 1) continue;
                memcpy(labels[label_count].name, word, n - 1);
                labels[label_count].name[n - 1] = 0;
                labels[label_count++].address = program->length;
                continue;
            }
            int op = 0;
            while (op < OPS && strcmp(OP_NAMES[op], word) != 0) op++;
            if (op == OPS) fail("unknown instruction", word);
            int pc = program->length++;
            program->op[pc] = (uint8_t)op, program->operand[pc] = 0;
            if (!HAS_OPERAND[op]) continue;
            at = next_word(at, word);
            if (op == JUMP || op == JUMP_IF || op == CALL) {
                if (pass == 1) program->operand[pc] = find_label(labels, label_count, word);
            } else {
                program->operand[pc] = atoi(word);
            }
        }
    }
}

struct frame {
    int64_t local[LOCALS];
    int return_to;
};

static int64_t stack[STACK], heap[HEAP];
static struct frame frames[FRAMES];

/* Runs from address 0 with `argument` on the stack until HALT; the result is the top of the stack. */
static int64_t run(const struct program *program, int64_t argument, uint64_t *executed) {
    int64_t *top = stack; /* the top of the stack; stack[0] holds the argument */
    struct frame *frame = frames;
    uint64_t steps = 0;
    int pc = 0;
    *top = argument;
    for (;; steps++) {
        int32_t operand = program->operand[pc];
        switch ((enum op)program->op[pc++]) {
        case PUSH: *++top = operand; break;
        case LOAD: *++top = frame->local[operand]; break;
        case STORE: frame->local[operand] = *top--; break;
        case ADD: top--, *top += top[1]; break;
        case SUB: top--, *top -= top[1]; break;
        case MUL: top--, *top = (int64_t)((uint64_t)*top * (uint64_t)top[1]); break;
        case MOD: top--, *top %= top[1]; break;
        case XOR: top--, *top ^= top[1]; break;
        case LESS: top--, *top = *top < top[1]; break;
        case EQUAL: top--, *top = *top == top[1]; break;
        case JUMP: pc = operand; break;
        case JUMP_IF: if (*top--) pc = operand; break;
        case CALL: (++frame)->return_to = pc, pc = operand; break;
        case RETURN: pc = frame--->return_to; break;
        case GET: *top = heap[*top & (HEAP - 1)]; break;
        case SET: top -= 2, heap[top[1] & (HEAP - 1)] = top[2]; break;
        case HALT:
        case OPS: *executed += steps; return *top;
        }
    }
}

/* Arguments arrive on the stack; functions leave their result there. */
static const struct {
    const char *name, *source;
    int64_t argument;
} PROGRAMS[] = {
    {"fib",
     "call fib halt\n"
     "fib: store 0 load 0 push 2 less jump_if small\n"
     "  load 0 push 1 sub call fib load 0 push 2 sub call fib add return\n"
     "small: load 0 return",
     24},
    {"primes", /* counts primes below the argument by trial division */
     "store 3 push 0 store 2 push 2 store 0\n"
     "next: load 0 load 3 less jump_if test load 2 halt\n"
     "test: push 2 store 1\n"
     "try: load 0 load 1 load 1 mul less jump_if prime\n"
     "  load 0 load 1 mod push 0 equal jump_if composite\n"
     "  load 1 push 1 add store 1 jump try\n"
     "prime: load 2 push 1 add store 2\n"
     "composite: load 0 push 1 add store 0 jump next",
     12000},
    {"chain", /* fills the heap with a hash chain, then folds it */
     "store 3 push 0 store 0 push 1 store 1\n"
     "fill: load 0 load 3 less jump_if store_one push 0 store 0 push 0 store 2 jump fold\n"
     "store_one: load 1 push 69069 mul push 12345 add push 1000003 mod store 1\n"
     "  load 0 load 1 set load 0 push 1 add store 0 jump fill\n"
     "fold: load 0 load 3 less jump_if fold_one load 2 halt\n"
     "fold_one: load 2 push 31 mul load 0 get xor push 1000000007 mod store 2\n"
     "  load 0 push 1 add store 0 jump fold",
     60000},
};

int main(int argc, char **argv) {
    uint32_t rounds = work_size(argc, argv, 40);
    for (size_t p = 0; p < sizeof PROGRAMS / sizeof *PROGRAMS; p++) {
        struct program program;
        int64_t result = 0;
        uint64_t executed = 0;
        assemble(PROGRAMS[p].source, &program);
        for (uint32_t i = 0; i < rounds; i++) result = run(&program, PROGRAMS[p].argument, &executed);
        printf("vm %-6s(%lld) = %lld, %llu instructions\n", PROGRAMS[p].name, (long long)PROGRAMS[p].argument,
               (long long)result, (unsigned long long)executed);
    }
    return 0;
}
