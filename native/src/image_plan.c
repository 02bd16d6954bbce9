/* Plans of images: everything that a size, strides and a configuration decide. */
#include <math.h>

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

static int has_around(const ek_tensor_config *config)
{
    return config->inner_width < config->width || config->inner_height < config->height;
}

/* 0 when the configuration or the image is refused; else the plan's offsets and sizes are set. */
static int lay(const ek_tensor_config *config, const ek_image *image, ek_image_plan *plan)
{
    *plan = (ek_image_plan){.bytes = 0};
    if (!resolve(config, &plan->config) || !image_is_sound(image))
        return 0;
    const ek_tensor_config *c = &plan->config;
    const size_t row = (size_t)c->inner_width * sizeof(float);
    plan->image = *image;
    plan->image.data = plan->image.u = plan->image.v = NULL;
    plan->is_camera = image->u != NULL;
    ek_piece(&plan->bytes, sizeof *plan);
    ek_rows_lay(plan);
    if (ek_is_filtered(plan))
        ek_filter_lay(plan);
    else
        ek_bilinear_lay(plan);
    if (has_around(c))
        plan->around = ek_piece(&plan->bytes, 3 * (size_t)c->width * sizeof(float));
    plan->passes = !is_plain(c);
    if (plan->passes)
        plan->passing = ek_piece(&plan->scratch_bytes, 3 * row);
    ek_piece(&plan->scratch_bytes, 1); /* never nothing */
    return 1;
}

static void fill(ek_image_plan *plan)
{
    const ek_tensor_config *config = &plan->config;
    if (ek_is_filtered(plan))
        ek_filter_fill(plan);
    else
        ek_bilinear_fill(plan);
    float *around = ek_table_to_fill(plan, plan->around);
    for (int c = 0; plan->around && c < config->planes; c++)
        for (int32_t x = 0; x < config->width; x++)
            *around++ = config->fill[c];
}

size_t ek_image_plan_bytes(const ek_tensor_config *config, const ek_image *image)
{
    ek_image_plan plan;
    return lay(config, image, &plan) ? plan.bytes : 0;
}

int ek_image_plan_build(const ek_tensor_config *config, const ek_image *image, void *memory,
                        size_t bytes)
{
    ek_image_plan plan;
    if (!memory || !lay(config, image, &plan) || bytes < plan.bytes)
        return EK_BAD_ARGUMENT;
    if ((uintptr_t)memory % EK_ALIGNMENT != 0)
        return EK_BAD_ALIGNMENT;
    ek_image_plan *built = memory;
    *built = plan;
    fill(built);
    return EK_OK;
}

size_t ek_image_plan_scratch_bytes(const ek_image_plan *plan)
{
    return plan ? plan->scratch_bytes : 0;
}

size_t ek_image_scratch_bytes(const ek_tensor_config *config, const ek_image *image)
{
    ek_image_plan plan;
    return lay(config, image, &plan) ? plan.bytes + plan.scratch_bytes : 0;
}
