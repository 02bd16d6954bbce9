/* A fuzzer for one operation: its bytes draw the case that the harness then runs everywhere. */
#include "operation.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    source from = {.bytes = bytes, .left = count};
    check_case(&EK_OPERATION, &from);
    return 0;
}
