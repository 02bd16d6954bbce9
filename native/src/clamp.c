/* Levels relative to the loudest one of all. */
#include <math.h>

#include "edgekit.h"
#include "vector.h"

/* The largest value, or -infinity; in `found` something but zeros where there is a NaN. */
static float largest(const float *values, size_t count, ek_i32 *found)
{
    ek_f32 most[4];
    float all = -INFINITY;
    size_t i = 0;
    for (int p = 0; p < 4; p++)
        most[p] = ek_splat(-INFINITY);
    for (; i + 4 * EK_LANES <= count; i += 4 * EK_LANES)
        EK_UNROLL for (int p = 0; p < 4; p++) {
            const ek_f32 v = ek_load(values + i + (size_t)p * EK_LANES);
            *found = *found | ek_is_nan(v);
            most[p] = ek_select(ek_less(most[p], v), v, most[p]);
        }
    for (int p = 0; p < 4; p++)
        for (int l = 0; l < EK_LANES; l++)
            all = ek_lane(most[p], l) > all ? ek_lane(most[p], l) : all;
    for (; i < count; i++) {
        *found = *found | ek_is_nan(ek_splat(values[i]));
        all = values[i] > all ? values[i] : all;
    }
    return all;
}

static int any(ek_i32 mask)
{
    int32_t lanes[EK_LANES], sum = 0;
    memcpy(lanes, &mask, sizeof mask);
    for (int l = 0; l < EK_LANES; l++)
        sum |= lanes[l];
    return sum != 0;
}

int ek_clamp_range(float *values, size_t count, float range, float offset, float scale)
{
    if (count == 0)
        return EK_OK;
    if (!values)
        return EK_BAD_ARGUMENT;
    ek_i32 found = {0};
    const float least = largest(values, count, &found) - range;
    const int spoiled = any(found);
    size_t i = 0;
    for (; i + EK_LANES <= count && !spoiled; i += EK_LANES) {
        const ek_f32 clamped = ek_at_least(ek_load(values + i), ek_splat(least));
        ek_store(values + i, (clamped + offset) * scale);
    }
    for (; i < count; i++) {
        const float clamped = values[i] < least ? least : values[i];
        values[i] = spoiled ? NAN : (clamped + offset) * scale;
    }
    return EK_OK;
}
