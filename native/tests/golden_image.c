/* Golden cases of images: every mode, type and layout, places, views and camera frames. */
#include "check.h"
#include "edgekit.h"
#include "golden.h"

typedef struct {
    uint8_t *pixels; /* to be given to free() */
    ek_image image;
} picture;

static const char *const modes[] = {"bilinear", "nearest", "antialias", "area"};
static const int types[] = {EK_FLOAT32, EK_FLOAT16, EK_UINT8, EK_INT8};
static const char *const type_names[] = {"float32", "float16", "uint8", "int8"};
static const char *const layouts[] = {"chw", "hwc"};

/* Noise over a slope, so that whatever is averaged still says where it was. */
static uint8_t *noise(size_t bytes)
{
    uint8_t *pixels = aligned_new(bytes);
    uint64_t state = 5;
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)((next_random(&state) >> 25) + i * 127 / bytes);
    return pixels;
}

static picture photo(int32_t width, int32_t height)
{
    picture p = {noise((size_t)(3 * width * height)),
                 {.row_stride = 3 * width, .column_stride = 3, .channel_stride = 1,
                  .width = width, .height = height}};
    p.image.data = p.pixels;
    return p;
}

/* ImageNet's mean and deviation. */
static ek_tensor_config normalized(int32_t width, int32_t height, int mode)
{
    return (ek_tensor_config){.width = width, .height = height, .source = {0, 1, 2},
                              .scale = {1.0f / 58.395f, 1.0f / 57.12f, 1.0f / 57.375f},
                              .offset = {-2.117904f, -2.035714f, -1.804444f},
                              .fill = {0.25f, -0.5f, 1.0f}, .planes = 3, .mode = mode,
                              .quantum = 0.02f, .zero_point = 5};
}

static void add(golden_lines *to, int isa, const ek_image *image, const ek_tensor_config *c,
                const char *what)
{
    static const size_t sizes[] = {4, 0, 0, 2, 1, 1};
    const size_t values = (size_t)(c->width * c->height) * (c->planes == 1 ? 1 : 3);
    const size_t work = ek_image_scratch_bytes(c, image);
    void *out = aligned_new(values * sizes[c->type]), *scratch = aligned_new(work);
    int type = 0;
    while (types[type] != c->type)
        type++;
    CHECK(work && ek_image_tensor(c, isa, image, out, scratch) == EK_OK, "%s", what);
    golden_add(to, c->type, out, values, "image %s %s %s %dx%d to %dx%d%s%s", modes[c->mode],
               type_names[type], layouts[c->layout], (int)image->width, (int)image->height,
               (int)c->width, (int)c->height, *what ? ", " : "", what);
    free(out);
    free(scratch);
}

static void sizes(golden_lines *to, int isa)
{
    static const int32_t sides[][4] = {{160, 90, 64, 48}, {160, 90, 200, 101}, {33, 47, 33, 47},
                                       {160, 90, 1, 1}, {1, 1, 19, 7}, {640, 480, 224, 224},
                                       {37, 5, 17, 50}};
    for (size_t i = 0; i < COUNT(sides); i++) {
        picture p = photo(sides[i][0], sides[i][1]);
        for (int mode = 0; mode < 4; mode++) {
            const ek_tensor_config c = normalized(sides[i][2], sides[i][3], mode);
            add(to, isa, &p.image, &c, "");
        }
        free(p.pixels);
    }
}

static void types_and_layouts(golden_lines *to, int isa)
{
    picture p = photo(97, 61);
    for (int mode = 0; mode < 4; mode++)
        for (size_t type = 0; type < COUNT(types); type++)
            for (int layout = 0; layout < 2; layout++)
                for (int planes = 3; planes > layout; planes -= 2) {
                    ek_tensor_config c = normalized(45, 31, mode);
                    c.type = types[type];
                    c.layout = layout;
                    c.planes = planes;
                    add(to, isa, &p.image, &c, planes == 1 ? "one plane" : "");
                }
    free(p.pixels);
}

static void places(golden_lines *to, int isa)
{
    picture p = photo(160, 90);
    for (int mode = 0; mode < 4; mode++) {
        ek_tensor_config c = normalized(64, 64, mode);
        c.inner_height = 36;
        c.top = 14;
        add(to, isa, &p.image, &c, "letterbox");
        c = normalized(56, 56, mode);
        c.full_width = 114;
        c.full_height = 64;
        c.skip_x = 29;
        c.skip_y = 4;
        add(to, isa, &p.image, &c, "crop of the middle");
        c.inner_width = c.inner_height = 40;
        c.left = 3;
        c.top = 11;
        c.type = EK_INT8;
        c.layout = EK_HWC;
        add(to, isa, &p.image, &c, "crop within a frame");
    }
    free(p.pixels);
}

static void views(golden_lines *to, int isa)
{
    picture p = photo(80, 60);
    ek_tensor_config swapped = normalized(33, 29, EK_BILINEAR);
    swapped.source[0] = 2;
    swapped.source[2] = 0;
    add(to, isa, &p.image, &swapped, "BGR");
    for (int mode = 0; mode < 4; mode++) {
        const ek_tensor_config c = normalized(33, 29, mode);
        ek_image image = p.image;
        image.data += 59 * image.row_stride + 79 * 3;
        image.row_stride = -image.row_stride;
        image.column_stride = -3;
        add(to, isa, &image, &c, "upside down and mirrored");
        image = p.image;
        image.row_stride = 80;
        image.column_stride = 1;
        image.channel_stride = 80 * 60;
        add(to, isa, &image, &c, "planes");
        image.channel_stride = 0;
        add(to, isa, &image, &c, "gray");
        image = p.image;
        image.width = 40;
        image.height = 20;
        image.column_stride = 6;
        image.row_stride *= 3;
        add(to, isa, &image, &c, "every second column and third row");
    }
    free(p.pixels);
}

static void camera(golden_lines *to, int isa, picture *p, int mode)
{
    static const char *const names[] = {"I420", "NV12"}, *const matrices[] = {"BT.601", "BT.709"};
    const int32_t width = p->image.width, height = p->image.height;
    const ptrdiff_t across = (width + 1) / 2, down = (height + 1) / 2;
    for (int options = 0; options < 8; options++) {
        const int nv12 = options & 1, matrix = options >> 1 & 1, full = options >> 2;
        ek_image *image = &p->image;
        char name[40];
        image->u = image->data + width * height;
        image->v = image->u + (nv12 ? 1 : across * down);
        image->chroma_column_stride = 1 + nv12;
        image->chroma_row_stride = across * (1 + nv12);
        image->matrix = matrix;
        image->full_range = full;
        ek_tensor_config c = normalized(32, 40, mode);
        c.type = full ? EK_UINT8 : EK_FLOAT32;
        snprintf(name, sizeof name, "%s %s%s", names[nv12], matrices[matrix], full ? " full" : "");
        add(to, isa, image, &c, name);
    }
}

static void cameras(golden_lines *to, int isa)
{
    static const int32_t sides[][2] = {{64, 48}, {51, 37}};
    for (int mode = 0; mode < 4; mode++) {
        picture p = photo(sides[mode % 2][0], sides[mode % 2][1]);
        p.image.row_stride = p.image.width;
        p.image.column_stride = 1;
        camera(to, isa, &p, mode);
        free(p.pixels);
    }
}

void golden_image(golden_lines *to, int isa)
{
    sizes(to, isa);
    types_and_layouts(to, isa);
    places(to, isa);
    views(to, isa);
    cameras(to, isa);
}
