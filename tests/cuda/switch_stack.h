// Several stacks in one thread. On x86-64 a few instructions change them; ucontext, which is
// everywhere, sets the mask of signals each time, by a system call that took most of the tests'
// time.
#pragma once
#include <stddef.h>

#if defined(__x86_64__)

// A stack that waits: its top, where the registers lie that a function has to keep.
struct waiting_stack {
    void *top;
};

extern "C" void emulation_switch(void **from, void *to);
asm(".text\n"
    ".hidden emulation_switch\n"
    ".globl emulation_switch\n"
    ".type emulation_switch, @function\n"
    "emulation_switch:\n"
    "    pushq %rbp\n"
    "    pushq %rbx\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rbx\n"
    "    popq %rbp\n"
    "    ret\n"
    ".size emulation_switch, . - emulation_switch\n");

// Makes a stack of so many bytes, a multiple of 16, begin with a function that never returns.
static void prepare_stack(waiting_stack *s, char *stack, size_t bytes, void (*begin)())
{
    enum { REGISTERS = 6 };
    void **top = reinterpret_cast<void **>(stack + bytes);
    *--top = NULL; // where `begin` would return to
    *--top = reinterpret_cast<void *>(begin);
    for (int i = 0; i < REGISTERS; i++) *--top = NULL;
    s->top = top;
}

static void switch_stack(waiting_stack *from, waiting_stack *to)
{
    emulation_switch(&from->top, to->top);
}

#else
#    include <ucontext.h>

struct waiting_stack {
    ucontext_t context;
};

static void prepare_stack(waiting_stack *s, char *stack, size_t bytes, void (*begin)())
{
    getcontext(&s->context);
    s->context.uc_stack.ss_sp = stack;
    s->context.uc_stack.ss_size = bytes;
    s->context.uc_link = NULL;
    makecontext(&s->context, begin, 0);
}

static void switch_stack(waiting_stack *from, waiting_stack *to)
{
    swapcontext(&from->context, &to->context);
}

#endif
