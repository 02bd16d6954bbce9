/* What the CPU can run and the operating system saves on a context switch. */
#include "edgekit.h"

#if defined(__x86_64__) || defined(__i386__)
/* The compiler's runtime asks the processor once, before main; asking again costs microseconds
 * where a hypervisor answers. It counts what the operating system saves on a context switch. */
uint32_t ek_cpu_features(void)
{
    uint32_t found = 0;
    if (__builtin_cpu_supports("sse2"))
        found |= EK_CPU_SSE2;
    if (__builtin_cpu_supports("avx2"))
        found |= EK_CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        found |= EK_CPU_AVX512;
    if (__builtin_cpu_supports("avx512vbmi"))
        found |= EK_CPU_AVX512_VBMI;
    if (__builtin_cpu_supports("avx512vnni"))
        found |= EK_CPU_AVX512_VNNI;
    return found;
}

#elif defined(__linux__) && (defined(__aarch64__) || defined(__arm__))
#include <sys/auxv.h>

typedef struct {
    unsigned bit;
    uint32_t feature;
} ek_hwcap;

/* The kernel's arch/arm64/include/uapi/asm/hwcap.h and arch/arm/include/uapi/asm/hwcap.h. */
#ifdef __aarch64__
static const ek_hwcap first[] = {{1, EK_CPU_ASIMD}, {10, EK_CPU_FP16}, {20, EK_CPU_DOTPROD},
                                 {22, EK_CPU_SVE}};
static const ek_hwcap second[] = {{1, EK_CPU_SVE2}, {13, EK_CPU_I8MM}, {14, EK_CPU_BF16},
                                  {23, EK_CPU_SME}};
#else
static const ek_hwcap first[] = {{12, EK_CPU_ASIMD}, {23, EK_CPU_FP16}, {24, EK_CPU_DOTPROD},
                                 {26, EK_CPU_BF16}, {27, EK_CPU_I8MM}};
static const ek_hwcap second[] = {{0, 0}};
#endif

static uint32_t found_in(const ek_hwcap *table, size_t count, unsigned long caps)
{
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (caps >> table[i].bit & 1)
            found |= table[i].feature;
    return found;
}

/* The kernel may give every thread another vector length: ask the CPU, which must have SVE. */
static uint32_t of_length(uint32_t found)
{
#ifdef __aarch64__
    register uint64_t bytes __asm__("x0");
    if (!(found & EK_CPU_SVE))
        return found;
    __asm__ volatile(".inst 0x04bf5020" : "=r"(bytes)); /* rdvl x0, #1, without asking the assembler */
    if (bytes == 32)
        found |= EK_CPU_SVE256;
#endif
    return found;
}

uint32_t ek_cpu_features(void)
{
    return of_length(found_in(first, sizeof first / sizeof *first, getauxval(AT_HWCAP)) |
                     found_in(second, sizeof second / sizeof *second, getauxval(AT_HWCAP2)));
}

#elif defined(__APPLE__) && defined(__aarch64__)
#include <sys/sysctl.h>

static uint32_t present(const char *name, uint32_t feature)
{
    int32_t value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0 ? feature : 0;
}

uint32_t ek_cpu_features(void)
{
    return EK_CPU_ASIMD | present("hw.optional.arm.FEAT_FP16", EK_CPU_FP16) |
           present("hw.optional.arm.FEAT_DotProd", EK_CPU_DOTPROD) |
           present("hw.optional.arm.FEAT_I8MM", EK_CPU_I8MM) |
           present("hw.optional.arm.FEAT_BF16", EK_CPU_BF16) |
           present("hw.optional.arm.FEAT_SME", EK_CPU_SME);
}

#else
uint32_t ek_cpu_features(void) { return 0; }
#endif
