/* Eight lanes where there are sixteen: a frame on its own falls into eight transforms. To be
 * included first. */
#if EK_LANES == 16
#undef EK_LANES
#define EK_LANES 8
#endif
