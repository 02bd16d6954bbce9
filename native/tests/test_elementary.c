/* Tables' functions against libm, and the lanes' logarithm over the whole range of floats. */
#include <math.h>

#include "check.h"
#include "elementary.h"
#include "logarithm.h"

static void cosines_are_within_1e_15_of_libm(void)
{
    const int64_t sizes[] = {1, 2, 3, 4, 5, 8, 200, 399, 400, 512, 1000, 65536};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (int64_t k = 0; k < 3 * sizes[i]; k += 1 + sizes[i] / 500) {
            const double turn = 2.0 * 3.14159265358979323846 * (double)(k % sizes[i]) / (double)sizes[i];
            const double cosine = ek_cos_turn(k, sizes[i]), sine = ek_sin_turn(k, sizes[i]);
            CHECK(fabs(cosine - cos(turn)) < 1e-15, "cos %d/%d", (int)k, (int)sizes[i]);
            CHECK(fabs(sine - sin(turn)) < 1e-15, "sin %d/%d", (int)k, (int)sizes[i]);
        }
}

static void quarter_turns_are_exact(void)
{
    const double cosines[] = {1.0, 0.0, -1.0, 0.0};
    for (int quarter = 0; quarter < 4; quarter++) {
        CHECK(ek_cos_turn(128 * quarter, 512) == cosines[quarter], "%d", quarter);
        CHECK(ek_sin_turn(128 * quarter, 512) == cosines[(quarter + 3) % 4], "%d", quarter);
    }
}

static void logarithms_and_exponentials_are_within_1e_15_of_libm(void)
{
    for (double x = 1e-300; x < 1e300; x *= 1.37) {
        CHECK(fabs(ek_table_ln(x) - log(x)) <= 1e-15 * fabs(log(x)), "ln %g", x);
        CHECK(ek_table_ln(1.0) == 0.0, "ln 1");
    }
    for (double x = -600.0; x < 600.0; x += 0.71)
        CHECK(fabs(ek_table_exp(x) - exp(x)) <= 1e-15 * exp(x) * (1.0 + fabs(x)), "exp %g", x);
}

static double ulp_of(float x) { return (double)nextafterf(fabsf(x), INFINITY) - fabs((double)x); }

static void lane_logarithms_are_within_four_ulps_for_normal_floats(void)
{
    double worst = 0.0;
    for (int32_t bits = 0x00800000; bits < 0x7f800000; bits += 997) {
        const float x = ek_lane(ek_from_bits(bits - (ek_i32){0}), 0);
        const float found = ek_lane(ek_ln(ek_splat(x)), 0);
        const double error = fabs((double)found - log((double)x)) / ulp_of((float)log((double)x));
        worst = error > worst ? error : worst;
    }
    printf("logarithm: worst error %.3f ulp\n", worst);
    CHECK(worst < 4.0, "%.3f ulp", worst);
}

static void lane_logarithms_saturate_at_infinity_and_have_one_nan(void)
{
    const float nans[] = {NAN, -NAN, INFINITY - INFINITY};
    CHECK(ek_lane(ek_ln(ek_splat(INFINITY)), 0) == 128.0f * 0.69314718f, "infinity");
    for (size_t i = 0; i < COUNT(nans); i++) {
        const ek_i32 bits = ek_bits(ek_ln(ek_splat(nans[i])));
        int32_t first;
        memcpy(&first, &bits, sizeof first);
        CHECK(first == 0x7fc00000, "%08x", (unsigned)first);
    }
}

int main(void)
{
    cosines_are_within_1e_15_of_libm();
    quarter_turns_are_exact();
    logarithms_and_exponentials_are_within_1e_15_of_libm();
    lane_logarithms_are_within_four_ulps_for_normal_floats();
    lane_logarithms_saturate_at_infinity_and_have_one_nan();
    return 0;
}
