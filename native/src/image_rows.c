/* Rows of pixels, in place where they lie together, else made one at a time. */
#include "image_job.h"

/* Multiples of 1 / 2^20, as ITU-R BT.601 and BT.709 define them for 8 bits. */
typedef struct {
    int32_t luma, v_to_red, u_to_green, v_to_green, u_to_blue, black;
} ek_matrix;

static ek_matrix matrix_of(const ek_image *image)
{
    const double red = image->matrix == EK_BT709 ? 0.2126 : 0.299;
    const double blue = image->matrix == EK_BT709 ? 0.0722 : 0.114, green = 1.0 - red - blue;
    const double one = 1048576.0, luma = image->full_range ? one : one * 255.0 / 219.0;
    const double chroma = image->full_range ? one : one * 255.0 / 224.0;
    const double from_v = 2.0 * (1.0 - red) * chroma, from_u = 2.0 * (1.0 - blue) * chroma;
    return (ek_matrix){(int32_t)(luma + 0.5), (int32_t)(from_v + 0.5),
                       (int32_t)(from_u * blue / green + 0.5), (int32_t)(from_v * red / green + 0.5),
                       (int32_t)(from_u + 0.5), image->full_range ? 0 : 16};
}

static uint8_t to_byte(int32_t value)
{
    const int32_t rounded = (value + (1 << 19)) >> 20;
    return (uint8_t)(rounded < 0 ? 0 : rounded > 255 ? 255 : rounded);
}

static void put_pixel(const ek_matrix *m, int32_t luma, int32_t u, int32_t v, uint8_t *out)
{
    const int32_t light = (luma > m->black ? luma - m->black : 0) * m->luma;
    out[0] = to_byte(light + v * m->v_to_red);
    out[1] = to_byte(light - u * m->u_to_green - v * m->v_to_green);
    out[2] = to_byte(light + u * m->u_to_blue);
}

static void make_from_camera(const ek_image *image, int32_t y, uint8_t *out)
{
    const ek_matrix m = matrix_of(image);
    const uint8_t *luma = image->data + y * image->row_stride;
    const uint8_t *u = image->u + y / 2 * image->chroma_row_stride;
    const uint8_t *v = image->v + y / 2 * image->chroma_row_stride;
    for (int32_t x = 0; x < image->width; x++) {
        const ptrdiff_t at = x / 2 * image->chroma_column_stride;
        put_pixel(&m, luma[x * image->column_stride], u[at] - 128, v[at] - 128, out + 3 * x);
    }
}

static void make_dense(const ek_image *image, int32_t y, uint8_t *out)
{
    const uint8_t *pixel = image->data + y * image->row_stride;
    for (int32_t x = 0; x < image->width; x++, pixel += image->column_stride)
        for (int c = 0; c < 3; c++)
            *out++ = pixel[c * image->channel_stride];
}

/* Pixels of three or four bytes in either order can be read as they are. */
static int is_dense(const ek_image *image)
{
    return (image->channel_stride == 1 || image->channel_stride == -1) &&
           (image->column_stride == 3 || image->column_stride == 4);
}

static size_t made_bytes(const ek_image *image) { return ek_aligned(3 * (size_t)image->width); }

void ek_rows_lay(ek_image_plan *plan)
{
    const ek_image *image = &plan->image;
    ek_row_form *form = &plan->form;
    form->makes = plan->is_camera || (ek_is_filtered(plan) && !is_dense(image));
    form->column_stride = form->makes ? 3 : image->column_stride;
    form->channel_stride = form->makes ? 1 : image->channel_stride;
    if (form->makes)
        plan->made = ek_piece(&plan->scratch_bytes, 2 * made_bytes(image));
}

/* The two last rows that were made are kept. */
const uint8_t *ek_row(ek_image_job *job, int32_t y)
{
    const ek_image *image = &job->image;
    if (!job->plan->form.makes)
        return image->data + y * image->row_stride;
    const size_t each = made_bytes(image);
    uint8_t *made = ek_scratch_piece(job, job->plan->made);
    for (int i = 0; i < 2; i++)
        if (job->which[i] == y) {
            job->next_made = !i;
            return made + each * (size_t)i;
        }
    const int32_t slot = job->next_made;
    uint8_t *row = made + each * (size_t)slot;
    if (image->u)
        make_from_camera(image, y, row);
    else
        make_dense(image, y, row);
    job->which[slot] = y;
    job->next_made = !slot;
    return row;
}
