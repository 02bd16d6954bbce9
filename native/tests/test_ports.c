/* Ports: what a caller that pushes chunk after chunk sets up once. */
#include "check.h"
#include "micro_presets.h"
#include "presets.h"

static void a_log_mel_port_moves_on_by_the_rows_it_gives(void)
{
    enum { SAMPLES = 4000, ROWS = 23, COLUMNS = 80 };
    static char memory[1 << 17] __attribute__((aligned(64)));
    static char state[1 << 18] __attribute__((aligned(64)));
    static float samples[SAMPLES], expected[ROWS * COLUMNS], found[ROWS * COLUMNS];
    static int16_t shorts[SAMPLES];
    uint64_t seed = 9;
    CHECK(ek_log_mel_plan_build(&kaldi_80, memory, sizeof memory) == EK_OK, "plan");
    const ek_log_mel_plan *plan = (const ek_log_mel_plan *)memory;
    for (int i = 0; i < SAMPLES; i++)
        samples[i] = shorts[i] = (int16_t)(next_random(&seed) >> 16);
    CHECK(ek_log_mel_frames(plan, SAMPLES) == ROWS, "rows");
    CHECK(ek_log_mel(plan, 0, samples, EK_FLOAT32, SAMPLES, expected, state) == EK_OK, "whole");
    CHECK(ek_log_mel_stream_start(plan, 0, state, sizeof state) == EK_OK, "start");
    ek_port port = {plan, state, found, 5};
    CHECK(ek_log_mel_port_float32(&port, samples, 1000) == 4, "four rows");
    CHECK(port.room == 1 && port.out == found + 4 * COLUMNS, "moved");
    CHECK(ek_log_mel_port_int16(&port, shorts + 1000, 3000) == EK_BAD_ARGUMENT, "no room");
    CHECK(port.room == 1 && port.out == found + 4 * COLUMNS, "not moved");
    port.room = ROWS - 4;
    CHECK(ek_log_mel_port_int16(&port, shorts + 1000, 3000) == ROWS - 4, "the others");
    CHECK(port.room == 0 && memcmp(expected, found, sizeof found) == 0, "bits");
    CHECK(ek_log_mel_port_float32(NULL, samples, 1) == EK_BAD_ARGUMENT, "no port");
    CHECK(ek_log_mel_port_int16(NULL, shorts, 1) == EK_BAD_ARGUMENT, "no port");
}

static void a_micro_port_moves_on_by_the_rows_it_gives(void)
{
    static char memory[1 << 16] __attribute__((aligned(64)));
    static char state[1 << 16] __attribute__((aligned(64)));
    static int16_t samples[1600];
    static float expected[8 * 40], found[8 * 40];
    ek_micro_plan *plan = (ek_micro_plan *)memory;
    const size_t bytes = sizeof state;
    uint64_t seed = 8;
    for (size_t i = 0; i < COUNT(samples); i++)
        samples[i] = (int16_t)(next_random(&seed) >> 16);
    CHECK(ek_micro_plan_build(&micro_40, memory, sizeof memory) == EK_OK, "plan");
    CHECK(ek_micro_stream_start(plan, 0, state, bytes) == EK_OK, "start");
    CHECK(ek_micro_stream_push(plan, (ek_micro_stream *)state, samples, 1600, 8, expected) == 8,
          "rows");
    CHECK(ek_micro_stream_start(plan, 0, state, bytes) == EK_OK, "again");
    ek_port port = {plan, state, found, 4};
    CHECK(ek_micro_port_int16(&port, samples, 800) == 3, "three rows");
    CHECK(ek_micro_port_int16(&port, samples + 800, 800) == EK_BAD_ARGUMENT, "no room");
    CHECK(port.room == 1 && port.out == found + 3 * 40, "moved");
    port.room = 5;
    CHECK(ek_micro_port_int16(&port, samples + 800, 800) == 5, "the others");
    CHECK(port.room == 0 && memcmp(expected, found, sizeof found) == 0, "bits");
    CHECK(ek_micro_port_int16(NULL, samples, 1) == EK_BAD_ARGUMENT, "no port");
}

int main(void)
{
    a_log_mel_port_moves_on_by_the_rows_it_gives();
    a_micro_port_moves_on_by_the_rows_it_gives();
    return 0;
}
