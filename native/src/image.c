/* Images to tensors: one row of the result after the other. */
#include "image_job.h"

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
    const ek_tensor_config *config = &job->plan->config;
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
    if (ek_is_filtered(job->plan))
        ek_filter_row(job, y, rows);
    else
        ek_bilinear_row(job, y, rows);
}

/* `width` pixels of what lies around the picture. */
static void emit_around(const ek_image_job *job, void *out, int32_t x, int32_t y, int32_t width)
{
    const ek_image_plan *plan = job->plan;
    if (width == 0)
        return;
    float *rows[3];
    for (int c = 0; c < 3; c++)
        rows[c] = (float *)ek_image_table(plan, plan->around) + (ptrdiff_t)c * plan->config.width;
    emit(job, rows, out, x, y, width);
}

static void result_row(ek_image_job *job, int32_t y, void *out)
{
    const ek_image_plan *plan = job->plan;
    const ek_tensor_config *config = &plan->config;
    const int32_t row = y + config->top, width = config->inner_width, left = config->left;
    float *passing = ek_scratch_piece(job, plan->passing), *rows[3];
    for (int c = 0; c < 3; c++)
        rows[c] = plan->passes ? passing + (ptrdiff_t)c * width
                               : (float *)(void *)place(config, out, c, left, row);
    picture_row(job, y, rows);
    if (config->planes == 1)
        for (int32_t x = 0; x < width; x++)
            rows[0][x] = rows[0][x] + rows[1][x] + rows[2][x];
    if (plan->passes)
        emit(job, rows, out, left, row, width);
    emit_around(job, out, 0, row, left);
    emit_around(job, out, left + width, row, config->width - left - width);
}

void ek_image_run_with(const ek_image_plan *plan, const ek_operations *operations,
                       const uint8_t *const *pixels, void *out, void *scratch)
{
    const ek_tensor_config *config = &plan->config;
    ek_image_job job = {.plan = plan, .operations = operations, .scratch = scratch};
    job.image = plan->image;
    job.image.data = pixels[0];
    job.image.u = pixels[1];
    job.image.v = pixels[2];
    for (int i = 0; i < 2; i++)
        job.which[i] = job.held[i] = -1;
    if (ek_is_filtered(plan))
        ek_filter_start(&job);
    else
        ek_bilinear_start(&job);
    for (int32_t y = 0; y < config->top; y++)
        emit_around(&job, out, 0, y, config->width);
    for (int32_t y = 0; y < config->inner_height; y++)
        result_row(&job, y, out);
    for (int32_t y = config->top + config->inner_height; y < config->height; y++)
        emit_around(&job, out, 0, y, config->width);
}

int ek_image_run(const ek_image_plan *plan, int isa, const uint8_t *data, const uint8_t *u,
                 const uint8_t *v, void *out, void *scratch)
{
    ek_operations operations;
    if (!plan || !data || !out || !scratch || !u != !plan->is_camera || !v != !plan->is_camera)
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)scratch % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    if (!ek_operations_for(isa, &operations))
        return EK_BAD_ISA;
    ek_image_run_with(plan, &operations, (const uint8_t *const[3]){data, u, v}, out, scratch);
    return EK_OK;
}

int ek_image_tensor(const ek_tensor_config *config, int isa, const ek_image *image, void *out,
                    void *scratch)
{
    if (!out || !scratch)
        return EK_BAD_ARGUMENT;
    const int built = ek_image_plan_build(config, image, scratch, SIZE_MAX);
    if (built != EK_OK)
        return built;
    const ek_image_plan *plan = scratch;
    return ek_image_run(plan, isa, image->data, image->u, image->v, out,
                        (char *)scratch + plan->bytes);
}
