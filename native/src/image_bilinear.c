/* Bilinear without antialiasing, as OpenCV's INTER_LINEAR on float images. */
#include <string.h>

#include "image_job.h"

/* Between which two rows or columns of the source one of the target lies. */
typedef struct {
    int32_t near;   /* and near + 1, unless the source has only one */
    int32_t weight; /* of the second one, in 1 / (1 << EK_WEIGHT_BITS) */
    float part;     /* the same, not rounded to a weight */
} ek_tap;

/* Centres of pixels coincide: (at + 1/2) * source / target - 1/2, in whole numbers, so exact. */
static ek_tap tap_at(int32_t at, int32_t target, int32_t source)
{
    const int64_t position = (2 * (int64_t)at + 1) * source - target; /* in 1 / (2 target) pixels */
    const int64_t unit = 2 * (int64_t)target;
    const int64_t whole = 1 << EK_WEIGHT_BITS;
    if (position <= 0 || source == 1)
        return (ek_tap){0, 0, 0.0f};
    const int64_t near = position / unit, rest = position % unit;
    if (near >= source - 1)
        return (ek_tap){source - 2, (int32_t)whole, 1.0f};
    const int32_t weight = (int32_t)((2 * rest * whole + unit) / (2 * unit));
    return (ek_tap){(int32_t)near, weight, (float)((double)rest / (double)unit)};
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static ptrdiff_t most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

/* Bytes that are read in a row, from its pixels' on. */
typedef struct {
    ptrdiff_t begin;
    ptrdiff_t end;
} ek_extent;

static ek_extent extent_of(const ek_columns *columns, ptrdiff_t first, ptrdiff_t last)
{
    const ptrdiff_t *channel = columns->channel;
    const ptrdiff_t low = least(channel[0], least(channel[1], channel[2]));
    const ptrdiff_t high = most(channel[0], most(channel[1], channel[2]));
    return (ek_extent){low + least(first, last), high + most(first, last) + 1};
}

static void find_shuffles(ek_columns *columns)
{
    memset(columns->shuffles, 0x80, sizeof columns->shuffles);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 4; i++) {
            const uint8_t at = (uint8_t)(columns->channel[c] - columns->lead + i % 2 * columns->step);
            columns->shuffles[c][0][2 * i] = (uint8_t)(at + i / 2 * 8);
            columns->shuffles[c][1][2 * i + 8] = (uint8_t)(at + i / 2 * 8);
        }
}

/* The columns that may read EK_PACKED_BYTES bytes without leaving the row's own: all but the ones
 * at the end with the highest address. None when the six bytes of a column lie further apart. */
static void find_packed(ek_columns *columns, const ptrdiff_t *near, ek_extent row)
{
    const ek_extent column = extent_of(columns, 0, columns->step);
    const int fits = column.end - column.begin <= EK_PACKED_BYTES;
    int32_t first = 0, last = fits ? columns->width : 0;
    columns->lead = column.begin;
    while (first < last && near[first] + columns->lead > row.end - EK_PACKED_BYTES)
        first++;
    while (first < last && near[last - 1] + columns->lead > row.end - EK_PACKED_BYTES)
        last--;
    columns->packed_first = first;
    columns->packed_last = last;
    find_shuffles(columns);
}

/* The window of eight columns from x on; 0 when there is none within the row. */
static int find_window(const ek_columns *columns, const ptrdiff_t *near, ek_extent row,
                       ptrdiff_t *window, uint8_t *place)
{
    const ptrdiff_t step = columns->step;
    const ek_extent left = extent_of(columns, near[0], near[0] + step);
    const ek_extent right = extent_of(columns, near[7], near[7] + step);
    const ptrdiff_t begin = least(left.begin, right.begin), end = most(left.end, right.end);
    const ptrdiff_t bytes = end - begin <= 128 ? 128 : EK_WINDOW_BYTES; /* what will be read */
    *window = least(begin, row.end - bytes);
    if (end - begin > EK_WINDOW_BYTES || *window < row.begin)
        return 0;
    for (int x = 0; x < 8; x++)
        for (int i = 0; i < 8; i++) {
            const ptrdiff_t at = near[x] + columns->channel[i / 2 % 3] + i % 2 * step;
            place[8 * x + i] = (uint8_t)(at - *window);
        }
    return 1;
}

/* All windows or none, which is said by the result. */
static int find_windows(const ek_columns *columns, const ptrdiff_t *near, ek_extent row,
                        ptrdiff_t *windows, uint8_t *places)
{
    if (columns->width < 16 || !(ek_cpu_features() & EK_CPU_AVX512_VBMI))
        return 0;
    for (int32_t x = 0; x < columns->width; x += 16) {
        const int32_t from = x + 16 < columns->width ? x : columns->width - 16;
        for (int half = 0; half < 2; half++, places += 64)
            if (!find_window(columns, near + from + 8 * half, row, windows++, places))
                return 0;
    }
    return 1;
}

void ek_bilinear_lay(ek_image_plan *plan)
{
    const size_t width = (size_t)plan->config.inner_width;
    plan->near = ek_piece(&plan->bytes, width * sizeof(ptrdiff_t));
    plan->weights = ek_piece(&plan->bytes, width * sizeof(int32_t));
    const size_t windows = (width + 15) / 16 * 2;
    plan->windows = ek_piece(&plan->bytes, windows * sizeof(ptrdiff_t));
    plan->places = ek_piece(&plan->bytes, windows * 64);
    plan->pairs = ek_piece(&plan->bytes, (size_t)plan->config.inner_height * sizeof(ek_row_pair));
    plan->planes = ek_piece(&plan->scratch_bytes, 2 * 3 * width * sizeof(int32_t));
}

static void fill_columns(ek_image_plan *plan)
{
    const ek_tensor_config *config = &plan->config;
    const int32_t source_width = plan->image.width;
    ptrdiff_t *near = ek_table_to_fill(plan, plan->near);
    int32_t *weights = ek_table_to_fill(plan, plan->weights);
    for (int32_t x = 0; x < config->inner_width; x++) {
        const ek_tap tap = tap_at(x + config->skip_x, config->full_width, source_width);
        near[x] = tap.near * plan->form.column_stride;
        weights[x] = ((1 << EK_WEIGHT_BITS) - tap.weight) | tap.weight * (1 << 16);
    }
    ek_columns *columns = &plan->columns;
    columns->width = config->inner_width;
    columns->step = source_width == 1 ? 0 : plan->form.column_stride;
    for (int c = 0; c < 3; c++)
        columns->channel[c] = config->source[c] * plan->form.channel_stride;
    const ek_extent row = extent_of(columns, 0, (source_width - 1) * columns->step);
    find_packed(columns, near, row);
    if (!find_windows(columns, near, row, ek_table_to_fill(plan, plan->windows),
                      ek_table_to_fill(plan, plan->places)))
        plan->windows = 0;
}

static void fill_pairs(ek_image_plan *plan)
{
    const ek_tensor_config *config = &plan->config;
    const int32_t height = plan->image.height;
    ek_row_pair *pairs = ek_table_to_fill(plan, plan->pairs);
    for (int32_t y = 0; y < config->inner_height; y++) {
        const ek_tap tap = tap_at(y + config->skip_y, config->full_height, height);
        const int32_t below = height > 1 ? tap.near + 1 : 0;
        pairs[y].near = tap.part < 1.0f ? tap.near : below;
        pairs[y].far = tap.part > 0.0f ? below : tap.near;
        pairs[y].part = tap.part;
    }
}

void ek_bilinear_fill(ek_image_plan *plan)
{
    fill_columns(plan);
    fill_pairs(plan);
}

void ek_bilinear_start(ek_image_job *job)
{
    const ek_image_plan *plan = job->plan;
    job->columns = plan->columns;
    job->columns.near = ek_image_table(plan, plan->near);
    job->columns.weights = ek_image_table(plan, plan->weights);
    if (plan->windows) {
        job->columns.window = ek_image_table(plan, plan->windows);
        job->columns.place = ek_image_table(plan, plan->places);
    }
    for (int c = 0; c < 3; c++) {
        job->blend.scale[c] = plan->config.scale[c] / (1 << EK_WEIGHT_BITS);
        job->blend.offset[c] = plan->config.offset[c];
    }
}

static int32_t *held_planes(const ek_image_job *job, int slot)
{
    const ptrdiff_t width = job->plan->config.inner_width;
    return (int32_t *)ek_scratch_piece(job, job->plan->planes) + 3 * width * slot;
}

/* The source row `y`, resized; the two last used are kept. */
static const int32_t *held_row(ek_image_job *job, int32_t y)
{
    for (int i = 0; i < 2; i++)
        if (job->held[i] == y) {
            job->next_held = !i;
            return held_planes(job, i);
        }
    const int slot = job->next_held;
    job->operations->image.row(ek_row(job, y), &job->columns, held_planes(job, slot));
    job->held[slot] = y;
    job->next_held = !slot;
    return held_planes(job, slot);
}

/* Rows at this scale are seldom needed twice: keeping them costs more than it saves. */
static int rows_are_far_apart(const ek_image_plan *plan)
{
    return plan->image.height >= 2 * plan->config.full_height;
}

static void far_rows(ek_image_job *job, const ek_row_pair *pair, int is_last, float *const *out)
{
    const uint8_t *rows[2] = {ek_row(job, pair->near), ek_row(job, pair->far)};
    const uint8_t *ahead[2] = {rows[0], rows[1]};
    if (!is_last && !job->plan->form.makes) {
        ahead[0] = ek_row(job, pair[1].near);
        ahead[1] = ek_row(job, pair[1].far);
    }
    job->operations->image.pair(rows, ahead, &job->columns, &job->blend, out);
}

void ek_bilinear_row(ek_image_job *job, int32_t y, float *const *out)
{
    const ek_image_plan *plan = job->plan;
    const ek_row_pair *pair = (const ek_row_pair *)ek_image_table(plan, plan->pairs) + y;
    job->blend.part = pair->part;
    if (rows_are_far_apart(plan)) {
        far_rows(job, pair, y + 1 == plan->config.inner_height, out);
        return;
    }
    const int32_t *top = held_row(job, pair->near), *bottom = held_row(job, pair->far);
    job->operations->image.blend(top, bottom, &job->blend, plan->config.inner_width, out);
}
