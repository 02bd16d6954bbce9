/* What is compiled once per instruction set, and the table that picks among the versions. */
#ifndef EK_OPERATIONS_H
#define EK_OPERATIONS_H

#include "image_operations.h"
#include "log_mel_operations.h"
#include "micro_operations.h"
#include "rolling_operations.h"

typedef struct {
    int lanes;
    ek_log_mel_operations log_mel;
    ek_micro_operations micro;
    ek_image_operations image;
    ek_rolling_operations rolling;
} ek_operations;

#define EK_DECLARE(isa)                                                                            \
    EK_DECLARE_LOG_MEL(isa)                                                                        \
    EK_DECLARE_MICRO(isa)                                                                          \
    EK_DECLARE_IMAGE(isa)                                                                          \
    EK_DECLARE_ROLLING(isa)

EK_DECLARE(portable)
EK_DECLARE(sse2)
EK_DECLARE(avx2)
EK_DECLARE(avx512)
EK_DECLARE_IMAGE(avx512vbmi)
EK_DECLARE(neon)
EK_DECLARE(sve256)

/* Fills the table for an instruction set; 0 when it is not compiled in or cannot run here. */
int ek_operations_for(int isa, ek_operations *operations);

/* The same for a CPU with these features, which must be this one's or fewer. */
void ek_operations_with(int isa, uint32_t features, ek_operations *operations);

#endif
