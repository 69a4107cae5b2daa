// Answers CPUID as the processor does, wherever UD2 was put in its place, but without AVX-512 and AVX-VNNI,
// or, compiled with NO_AVX, without anything newer than SSE4.2.
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

static volatile int asked;

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *in = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)in[REG_RIP];
    unsigned leaf = in[REG_RAX], part = in[REG_RCX], a, b, c, d;
    (void)info;
    if (code[0] != 0x0f || code[1] != 0x0b) {
        signal(number, SIG_DFL);
        return;
    }
    __cpuid_count(leaf, part, a, b, c, d);
    if (leaf == 7 && part == 0) {
        b &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 28 | 1u << 30 | 1u << 31);
        c &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
        d &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25);
        asked++;
#ifdef NO_AVX
        b &= ~(1u << 3 | 1u << 5 | 1u << 8);
        c &= ~(1u << 8 | 1u << 9 | 1u << 10);
#endif
    }
#ifdef NO_AVX
    if (leaf == 1)
        c &= ~(1u << 12 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 29);
#endif
    if (leaf == 7 && part == 1)
        a &= ~(1u << 4 | 1u << 5);
    in[REG_RAX] = a, in[REG_RBX] = b, in[REG_RCX] = c, in[REG_RDX] = d;
    in[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGILL, &action, NULL);
}

__attribute__((destructor)) static void end(void) {
    fprintf(stderr, "asked %d times what the processor can\n", asked);
}
