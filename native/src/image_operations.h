/* What images need from every instruction set. */
#ifndef EK_IMAGE_OPERATIONS_H
#define EK_IMAGE_OPERATIONS_H

#include "image_plan.h"

#define EK_IMAGE_ROW(name)                                                                         \
    void name(const uint8_t *row, const ek_columns *columns, int32_t *planes)
#define EK_IMAGE_BLEND(name)                                                                       \
    void name(const int32_t *top, const int32_t *bottom, const ek_blend *blend, int32_t width,     \
              float *const *out)
#define EK_IMAGE_PAIR(name)                                                                        \
    void name(const uint8_t *const *rows, const uint8_t *const *ahead, const ek_columns *columns,  \
              const ek_blend *blend, float *const *out)
#define EK_IMAGE_SUM_ROWS(name) void name(const ek_row_sum *sum, int16_t *out)
#define EK_IMAGE_SUM_COLUMNS(name) void name(const ek_column_sum *sum, float *const *out)
#define EK_IMAGE_EMIT(name) void name(const ek_emission *emission)

typedef struct {
    /* One source row to three planes of columns->width sums, in 1 / (1 << EK_WEIGHT_BITS). */
    EK_IMAGE_ROW((*row));
    /* Two such rows, blended into three rows of `width` floats. */
    EK_IMAGE_BLEND((*blend));
    /* Both at once, of two source rows that are needed only here; the two ahead come next. */
    EK_IMAGE_PAIR((*pair));
    EK_IMAGE_SUM_ROWS((*sum_rows));
    EK_IMAGE_SUM_COLUMNS((*sum_columns));
    EK_IMAGE_EMIT((*emit));
} ek_image_operations;

#define EK_DECLARE_IMAGE(isa)                                                                      \
    EK_IMAGE_ROW(ek_image_row_##isa);                                                              \
    EK_IMAGE_BLEND(ek_image_blend_##isa);                                                          \
    EK_IMAGE_PAIR(ek_image_pair_##isa);                                                            \
    EK_IMAGE_SUM_ROWS(ek_image_sum_rows_##isa);                                                    \
    EK_IMAGE_SUM_COLUMNS(ek_image_sum_columns_##isa);                                              \
    EK_IMAGE_EMIT(ek_image_emit_##isa);

#define EK_FILL_IMAGE(isa)                                                                         \
    (ek_image_operations)                                                                          \
    {                                                                                              \
        ek_image_row_##isa, ek_image_blend_##isa, ek_image_pair_##isa, ek_image_sum_rows_##isa,    \
            ek_image_sum_columns_##isa, ek_image_emit_##isa                                        \
    }

#endif
