/* Images to tensors: one row of the result after the other. */
#include <math.h>
#include <string.h>

#include "image_job.h"

static int side_is_sound(int32_t side) { return side >= 1 && side <= EK_MAX_SIDE; }

static int channels_are_sound(const ek_tensor_config *config)
{
    for (int c = 0; c < 3; c++)
        if (config->source[c] < 0 || config->source[c] > 2 || !isfinite(config->scale[c]) ||
            !isfinite(config->offset[c]) || !isfinite(config->fill[c]))
            return 0;
    return 1;
}

static int type_is_sound(const ek_tensor_config *config)
{
    const int32_t low = config->type == EK_INT8 ? -128 : 0;
    if (config->type == EK_FLOAT32 || config->type == EK_FLOAT16)
        return 1;
    return (config->type == EK_UINT8 || config->type == EK_INT8) && isfinite(config->quantum) &&
           config->quantum > 0.0f && config->zero_point >= low && config->zero_point <= low + 255;
}

static int part_is_sound(int32_t skip, int32_t part, int32_t whole)
{
    return skip >= 0 && part >= 1 && skip <= whole - part;
}

/* The configuration with nothing left out; 0 when it is refused. */
static int resolve(const ek_tensor_config *given, ek_tensor_config *config)
{
    if (!given)
        return 0;
    *config = *given;
    config->planes = given->planes ? given->planes : 3;
    config->inner_width = given->inner_width ? given->inner_width : given->width;
    config->inner_height = given->inner_height ? given->inner_height : given->height;
    config->full_width = given->full_width ? given->full_width : config->inner_width;
    config->full_height = given->full_height ? given->full_height : config->inner_height;
    return side_is_sound(config->width) && side_is_sound(config->height) &&
           side_is_sound(config->full_width) && side_is_sound(config->full_height) &&
           part_is_sound(config->left, config->inner_width, config->width) &&
           part_is_sound(config->top, config->inner_height, config->height) &&
           part_is_sound(config->skip_x, config->inner_width, config->full_width) &&
           part_is_sound(config->skip_y, config->inner_height, config->full_height) &&
           (config->planes == 1 || config->planes == 3) && config->mode >= EK_BILINEAR &&
           config->mode <= EK_AREA && (config->layout == EK_CHW || config->layout == EK_HWC) &&
           channels_are_sound(config) && type_is_sound(config);
}

static int image_is_sound(const ek_image *image)
{
    return image && image->data && side_is_sound(image->width) && side_is_sound(image->height) &&
           !image->u == !image->v && (image->matrix == EK_BT601 || image->matrix == EK_BT709);
}

static int is_plain(const ek_tensor_config *config)
{
    return config->type == EK_FLOAT32 && config->layout == EK_CHW && config->planes == 3;
}

static void fill_around(const ek_image_job *job)
{
    const ek_tensor_config *config = job->config;
    for (int c = 0; c < config->planes; c++)
        for (int32_t x = 0; x < config->width; x++)
            job->around[c][x] = config->fill[c];
}

static void prepare(ek_image_job *job, const ek_image *image, ek_arena *arena)
{
    const ek_tensor_config *config = job->config;
    const int filtered = config->mode != EK_BILINEAR;
    const int has_around =
        config->inner_width < config->width || config->inner_height < config->height;
    ek_rows_prepare(&job->rows, image, filtered, arena);
    if (filtered)
        ek_filter_prepare(job, arena);
    else
        ek_bilinear_prepare(job, arena);
    for (int c = 0; c < 3; c++) {
        job->passing[c] =
            is_plain(config) ? NULL : ek_piece(arena, (size_t)config->inner_width * sizeof(float));
        job->around[c] =
            has_around ? ek_piece(arena, (size_t)config->width * sizeof(float)) : NULL;
    }
    if (arena->base && has_around)
        fill_around(job);
}

size_t ek_image_scratch_bytes(const ek_tensor_config *given, const ek_image *image)
{
    ek_tensor_config config;
    ek_image_job job = {.config = &config};
    ek_arena arena = {NULL, 0};
    if (!resolve(given, &config) || !image_is_sound(image))
        return 0;
    prepare(&job, image, &arena);
    return arena.used;
}

static char *place(const ek_tensor_config *config, void *out, int32_t plane, int32_t x, int32_t y)
{
    const size_t size = config->type == EK_FLOAT32 ? 4 : config->type == EK_FLOAT16 ? 2 : 1;
    const size_t pixel = (size_t)y * (size_t)config->width + (size_t)x;
    const size_t pixels = (size_t)config->height * (size_t)config->width;
    const size_t planes = (size_t)config->planes;
    return (char *)out + size * (config->layout == EK_HWC ? pixel * planes : pixel + plane * pixels);
}

static void emit(const ek_image_job *job, float *const *rows, void *out, int32_t x, int32_t y,
                 int32_t width)
{
    const ek_tensor_config *config = job->config;
    ek_emission emission = {.rows = rows, .planes = config->planes, .width = width};
    if (width == 0)
        return;
    emission.layout = config->layout;
    emission.type = config->type;
    emission.quantum = config->quantum;
    emission.zero_point = (float)config->zero_point;
    for (int c = 0; c < config->planes; c++)
        emission.out[c] = place(config, out, c, x, y);
    job->operations->image.emit(&emission);
}

static void picture_row(ek_image_job *job, int32_t y, float *const *rows)
{
    if (job->config->mode == EK_BILINEAR)
        ek_bilinear_row(job, y, rows);
    else
        ek_filter_row(job, y, rows);
}

static void result_row(ek_image_job *job, int32_t y, void *out)
{
    const ek_tensor_config *config = job->config;
    const int32_t row = y + config->top, width = config->inner_width;
    float *rows[3];
    for (int c = 0; c < 3; c++)
        rows[c] = job->passing[c] ? job->passing[c]
                                  : (float *)(void *)place(config, out, c, config->left, row);
    picture_row(job, y, rows);
    if (config->planes == 1)
        for (int32_t x = 0; x < width; x++)
            rows[0][x] = rows[0][x] + rows[1][x] + rows[2][x];
    if (job->passing[0])
        emit(job, rows, out, config->left, row, width);
    emit(job, job->around, out, 0, row, config->left);
    emit(job, job->around, out, config->left + width, row, config->width - config->left - width);
}

int ek_image_tensor(const ek_tensor_config *given, int isa, const ek_image *image, void *out,
                    void *scratch)
{
    ek_operations operations;
    ek_tensor_config config;
    if (!resolve(given, &config) || !image_is_sound(image) || !out || !scratch)
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)scratch % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    if (!ek_operations_for(isa, &operations))
        return EK_BAD_ISA;
    ek_image_job job = {.config = &config, .operations = &operations};
    ek_arena arena = {scratch, 0};
    prepare(&job, image, &arena);
    for (int32_t y = 0; y < config.top; y++)
        emit(&job, job.around, out, 0, y, config.width);
    for (int32_t y = 0; y < config.inner_height; y++)
        result_row(&job, y, out);
    for (int32_t y = config.top + config.inner_height; y < config.height; y++)
        emit(&job, job.around, out, 0, y, config.width);
    return EK_OK;
}
