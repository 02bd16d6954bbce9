/* The table of operations, filled by a ladder: each rung replaces what it has a faster version of.
 * EK_HAVE_ is defined by the build for every instruction set that was compiled in. */
#include "operations.h"

#define EK_FILL(operations, width, isa)                                                            \
    do {                                                                                           \
        (operations)->lanes = (width);                                                             \
        (operations)->log_mel = EK_FILL_LOG_MEL(isa);                                              \
        (operations)->micro = EK_FILL_MICRO(isa);                                                  \
        (operations)->image = EK_FILL_IMAGE(isa);                                                  \
        (operations)->rolling = EK_FILL_ROLLING(isa);                                              \
    } while (0)

int ek_best_isa(void)
{
    const uint32_t features = ek_cpu_features();
    int best = EK_PORTABLE;
    (void)features;
#ifdef EK_HAVE_SSE2
    if (!(features & EK_CPU_SSE2))
        return best;
    best = EK_SSE2;
#endif
#ifdef EK_HAVE_AVX2
    if (!(features & EK_CPU_AVX2))
        return best;
    best = EK_AVX2;
#endif
#ifdef EK_HAVE_AVX512
    if (!(features & EK_CPU_AVX512))
        return best;
    best = EK_AVX512;
#endif
#ifdef EK_HAVE_NEON
    if (!(features & EK_CPU_ASIMD))
        return best;
    best = EK_NEON;
#endif
#ifdef EK_HAVE_SVE256
    if (!(features & EK_CPU_SVE256))
        return best;
    best = EK_SVE256;
#endif
    return best;
}

void ek_operations_with(int isa, uint32_t features, ek_operations *operations)
{
    (void)features;
    EK_FILL(operations, 1, portable);
    if (isa == EK_PORTABLE)
        return;
#ifdef EK_HAVE_NEON
    EK_FILL(operations, 4, neon);
    if (isa == EK_NEON)
        return;
#endif
#ifdef EK_HAVE_SVE256
    operations->lanes = 8; /* images stay NEON's, whose bytes need fewer instructions */
    operations->log_mel = EK_FILL_LOG_MEL(sve256);
    operations->micro = EK_FILL_MICRO(sve256);
    operations->rolling = EK_FILL_ROLLING(sve256);
#endif
#ifdef EK_HAVE_SSE2
    EK_FILL(operations, 4, sse2);
    if (isa == EK_SSE2)
        return;
#endif
#ifdef EK_HAVE_AVX2
    EK_FILL(operations, 8, avx2);
    if (isa == EK_AVX2)
        return;
#endif
#ifdef EK_HAVE_AVX512
    EK_FILL(operations, 16, avx512);
#endif
#ifdef EK_HAVE_AVX512VBMI
    if (features & EK_CPU_AVX512_VBMI) /* not all that have the others have this */
        operations->image = EK_FILL_IMAGE(avx512vbmi);
#endif
}

int ek_operations_for(int isa, ek_operations *operations)
{
    if (isa < EK_PORTABLE || isa > ek_best_isa())
        return 0;
    ek_operations_with(isa, ek_cpu_features(), operations);
    return 1;
}

const char *ek_isa_name(int isa)
{
#if defined(__aarch64__) || defined(__arm__)
    static const char *const names[] = {"portable", "neon", "sve256"};
#else
    static const char *const names[] = {"portable", "sse2", "avx2", "avx512"};
#endif
    const int known = (int)(sizeof names / sizeof names[0]);
    return isa >= 0 && isa < known ? names[isa] : "unknown";
}
