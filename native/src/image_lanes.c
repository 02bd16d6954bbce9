/* Rows of 8-bit images, resized. Compiled once per instruction set. */
#include "operations.h"
#include "vector.h"

#if defined(__AVX2__)
#include "x86/pixels.h"
#define EK_HAVE_PIXELS
#elif EK_LANES == 4 && defined(__aarch64__) && defined(__ARM_NEON)
#include "arm/pixels.h"
#define EK_HAVE_PIXELS
#endif

EK_INLINE int32_t one_sum(const uint8_t *row, const ek_columns *columns, int32_t x, int c)
{
    const uint8_t *near = row + columns->near[x] + columns->channel[c];
    const int32_t weights = columns->weights[x];
    return near[0] * (weights & 0xffff) + near[columns->step] * (weights >> 16);
}

EK_INLINE float one_blend(int32_t top, int32_t bottom, const ek_blend *blend, int c)
{
    return ((float)top + (float)(bottom - top) * blend->part) * blend->scale[c] + blend->offset[c];
}

EK_INLINE void store_blend(ek_i32 top, ek_i32 bottom, const ek_blend *blend, int c, float *out)
{
    const ek_f32 v = ek_from_int(top) + ek_from_int(bottom - top) * blend->part;
    const ek_f32 scaled = v * blend->scale[c] + blend->offset[c];
    memcpy(out, &scaled, sizeof scaled);
}

#ifdef EK_HAVE_PIXELS
typedef struct {
    ek_bytes plane[3][2];
} ek_picks;

EK_INLINE ek_picks packed_picks(const ek_columns *columns)
{
    ek_picks picks;
    for (int c = 0; c < 3; c++)
        for (int half = 0; half < 2; half++)
            picks.plane[c][half] = ek_repeat(columns->shuffles[c][half]);
    return picks;
}

/* Of two rows, EK_LANES columns from x on, in three planes. */
EK_INLINE void packed_sums(const uint8_t *const *rows, const ek_columns *columns, const ek_picks *picks,
                           int32_t x, ek_i32 (*sums)[3])
{
    ek_bytes low[2], high[2];
    const uint8_t *const leading[2] = {rows[0] + columns->lead, rows[1] + columns->lead};
    ek_load_pixels(leading, columns->near + x, low);
    ek_load_pixels(leading, columns->near + x + 2, high);
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++)
            sums[i][c] = ek_weigh(
                ek_pick(low[i], high[i], picks->plane[c][0], picks->plane[c][1]),
                columns->weights + x);
}

/* From block to block; the last one overlaps the one before. */
EK_INLINE int32_t next_packed(int32_t to, int32_t x)
{
    const int32_t last = to - EK_LANES;
    return x == last ? to : x + EK_LANES < last ? x + EK_LANES : last;
}

/* [from, to) in whole blocks, or none. */
EK_INLINE void packed_range(const ek_columns *columns, int32_t *from, int32_t *to)
{
    const int enough = columns->packed_last - columns->packed_first >= EK_LANES;
    *from = enough ? columns->packed_first : columns->width;
    *to = enough ? columns->packed_last : columns->width;
}
#else
typedef int ek_picks;

EK_INLINE ek_picks packed_picks(const ek_columns *columns) { return (void)columns, 0; }

EK_INLINE void packed_sums(const uint8_t *const *rows, const ek_columns *columns, const ek_picks *picks,
                           int32_t x, ek_i32 (*sums)[3])
{
    (void)rows, (void)columns, (void)picks, (void)x, (void)sums;
}

EK_INLINE int32_t next_packed(int32_t to, int32_t x) { return (void)to, x; }

EK_INLINE void packed_range(const ek_columns *columns, int32_t *from, int32_t *to)
{
    *from = *to = columns->width;
}
#endif

#ifdef EK_HAVE_WINDOWS
/* Of a row, the 16 columns that two windows hold, in three planes. */
EK_INLINE void window_sums(const uint8_t *row, const ptrdiff_t *window, const uint8_t *place,
                           const int32_t *weights, ek_i32 *sums)
{
    const ek_bytes first = ek_window(row + window[0], place);
    const ek_bytes second = ek_window(row + window[1], place + 64);
    for (int c = 0; c < 3; c++)
        sums[c] = ek_weigh(ek_pick_plane(first, second, ek_plane_places(c)), weights);
}

/* Rows of a large picture come from afar: of the next ones, what these columns need is fetched. */
EK_INLINE void fetch_windows(const uint8_t *row, const ptrdiff_t *window)
{
    for (int half = 0; half < 2; half++)
        for (int at = 0; at < EK_WINDOW_BYTES; at += 64)
            ek_fetch(row + window[half] + at);
}

static void window_pair(const uint8_t *const *rows, const uint8_t *const *ahead,
                        const ek_columns *columns, const ek_blend *blend, float *const *out)
{
    const uint8_t *top = rows[0], *bottom = rows[1], *next = ahead[0], *far = ahead[1];
    const ptrdiff_t *window = columns->window;
    const uint8_t *place = columns->place;
    const int32_t *weights = columns->weights, width = columns->width;
    float *const to[3] = {out[0], out[1], out[2]};
    const ek_blend b = *blend;
    for (int32_t x = 0; x < width; x = next_packed(width, x), window += 2, place += 128) {
        ek_i32 above[3], below[3];
        fetch_windows(next, window);
        window_sums(top, window, place, weights + x, above);
        fetch_windows(far, window);
        window_sums(bottom, window, place, weights + x, below);
        for (int c = 0; c < 3; c++)
            store_blend(above[c], below[c], &b, c, to[c] + x);
    }
}
#endif

void EK_NAME(ek_image_row)(const uint8_t *row, const ek_columns *columns, int32_t *planes)
{
    const int32_t width = columns->width;
    int32_t x = 0, from, to;
    packed_range(columns, &from, &to);
    const ek_picks picks = packed_picks(columns);
    for (; x < from; x++)
        for (int c = 0; c < 3; c++)
            planes[c * width + x] = one_sum(row, columns, x, c);
    for (; x < to; x = next_packed(to, x)) {
        ek_i32 sums[2][3]; /* of the same row twice; the compiler drops one */
        packed_sums((const uint8_t *const[2]){row, row}, columns, &picks, x, sums);
        for (int c = 0; c < 3; c++)
            memcpy(planes + c * width + x, &sums[0][c], sizeof sums[0][c]);
    }
    for (; x < width; x++)
        for (int c = 0; c < 3; c++)
            planes[c * width + x] = one_sum(row, columns, x, c);
}

void EK_NAME(ek_image_blend)(const int32_t *top, const int32_t *bottom, const ek_blend *blend,
                             int32_t width, float *const *out)
{
    for (int c = 0; c < 3; c++, top += width, bottom += width) {
        int32_t x = 0;
        for (; x + EK_LANES <= width; x += EK_LANES) {
            ek_i32 t, b;
            memcpy(&t, top + x, sizeof t);
            memcpy(&b, bottom + x, sizeof b);
            store_blend(t, b, blend, c, out[c] + x);
        }
        for (; x < width; x++)
            out[c][x] = one_blend(top[x], bottom[x], blend, c);
    }
}

EK_INLINE void one_pair(const uint8_t *const *rows, const ek_columns *columns, const ek_blend *blend,
                        int32_t x, float *const *out)
{
    for (int c = 0; c < 3; c++)
        out[c][x] =
            one_blend(one_sum(rows[0], columns, x, c), one_sum(rows[1], columns, x, c), blend, c);
}

EK_IMAGE_PAIR(EK_NAME(ek_image_pair))
{
#ifdef EK_HAVE_WINDOWS
    if (columns->window) {
        window_pair(rows, ahead, columns, blend, out);
        return;
    }
#endif
    (void)ahead;
    /* Copies, for what is stored might else change them. */
    const ek_columns c = *columns;
    const ek_blend b = *blend;
    const uint8_t *const row[2] = {rows[0], rows[1]};
    float *const to[3] = {out[0], out[1], out[2]};
    int32_t x = 0, first, last;
    packed_range(&c, &first, &last);
    const ek_picks picks = packed_picks(&c);
    for (; x < first; x++)
        one_pair(row, &c, &b, x, to);
    for (; x < last; x = next_packed(last, x)) {
        ek_i32 sums[2][3];
        packed_sums(row, &c, &picks, x, sums);
        for (int plane = 0; plane < 3; plane++)
            store_blend(sums[0][plane], sums[1][plane], &b, plane, to[plane] + x);
    }
    for (; x < c.width; x++)
        one_pair(row, &c, &b, x, to);
}
