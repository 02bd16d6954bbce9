/* Audio takes eight lanes where there are sixteen: the rows of a transform then stay in the first
 * level of the cache, and the instruction set gives its registers. To be included first. */
#if EK_LANES == 16
#undef EK_LANES
#define EK_LANES 8
#endif
