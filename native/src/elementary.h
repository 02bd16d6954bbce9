/* Elementary functions for building tables. Double precision from +, -, *, / alone, so that the
 * tables have the same bits whatever the machine and its libm. Errors stay below 1e-15, relative. */
#ifndef EK_ELEMENTARY_H
#define EK_ELEMENTARY_H

#include <stdint.h>

/* Cosine and sine of numerator / denominator turns; both >= 0, denominator below 2^27. */
double ek_cos_turn(int64_t numerator, int64_t denominator);
double ek_sin_turn(int64_t numerator, int64_t denominator);

/* Cosine of 0 <= x < 7. */
double ek_table_cos(double x);

/* Natural logarithm of a normal number > 0. */
double ek_table_ln(double x);

/* e to the power x, for |x| < 700. */
double ek_table_exp(double x);

#endif
