/* Any bytes as what comes from another process of a cluster: messages, a value, a plan, a call that is lent, by the first byte. Refused with a
 * message, or read to their end, and nothing leaks. With replay.c a test over the corpus; with clang's -fsanitize=fuzzer,address
 * a fuzzer. */
#include "schedulers/cluster/plans.h"
#include "schedulers/cluster/protocol.h"
#include "schedulers/cluster/slips.h"
#include "schedulers/cluster/values.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int fuzz_is_lacking(void);

static bool heard[RK_SAY_COUNT];

static void read_messages(const char *bytes, size_t size)
{
    rk_pack_in in = {bytes, bytes + size, false, NULL};
    rk_message m;
    char text[64];
    while (rk_message_get(&in, &m)) {
        heard[m.kind] = true;
        rk_word_copy(text, sizeof text, m.text);
    }
    assert(in.failed || in.at == in.end);
}

/* Kinds that no seed is a message of. */
int fuzz_is_lacking(void)
{
    int lacking = 0;
    for (int kind = 0; kind < RK_SAY_COUNT; kind++)
        if (!heard[kind]) {
            fprintf(stderr, "no seed is a message %s: see seeds_cluster.c\n", rk_message_name((rk_said)kind));
            lacking++;
        }
    return lacking;
}

static void read_value(const char *bytes, size_t size)
{
    rk_pack_in in = {bytes, bytes + size, false, NULL};
    rask_value value;
    char message[1024] = "";
    int status = rk_pack_get_value(&in, &value, message, sizeof message);
    assert(!status || *message);
    if (!status)
        rask_value_unref(&value);
}

static void read_plan(const char *bytes, size_t size)
{
    rk_guest guest;
    char message[1024] = "";
    int status = rk_guest_init(&guest, bytes, size, message, sizeof message);
    assert(!status || *message);
    if (!status)
        rk_guest_fini(&guest);
}

static void read_slip(const char *bytes, size_t size)
{
    rk_pack_in in = {bytes, bytes + size, false, NULL};
    rk_lent_call call;
    rk_gate *gate = NULL;
    char message[1024] = "", reason[256];
    (void)rk_gate_new("gpu=1,licence=4", &gate, reason, sizeof reason);
    int status = rk_pack_get_slip(&in, gate, &call, message, sizeof message);
    assert(!status || *message);
    if (!status)
        rk_slip_fini(&call);
    rk_gate_free(gate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 1;
    if (!size)
        return 0;
    switch (data[0] % 4) {
    case 0: read_messages(bytes, size - 1); break;
    case 1: read_value(bytes, size - 1); break;
    case 2: read_plan(bytes, size - 1); break;
    default: read_slip(bytes, size - 1); break;
    }
    return 0;
}
