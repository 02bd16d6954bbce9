/* Bilinear sampling of 8-bit images. Compiled once per instruction set. */
#include "operations.h"
#include "vector.h"

void EK_NAME(ek_image_row)(const uint8_t *row, const ptrdiff_t *channel, const ek_tap *columns,
                           int32_t width, float *planes)
{
    for (int c = 0; c < 3; c++, planes += width) {
        const uint8_t *source = row + channel[c];
        for (int32_t x = 0; x < width; x++) {
            const float near = (float)source[columns[x].near];
            const float far = (float)source[columns[x].far];
            planes[x] = near + (far - near) * columns[x].part;
        }
    }
}

void EK_NAME(ek_image_blend)(const float *top, const float *bottom, float part, float scale,
                             float offset, int32_t width, float *out)
{
    for (int32_t x = 0; x < width; x++)
        out[x] = (top[x] + (bottom[x] - top[x]) * part) * scale + offset;
}
