/* Writes what fuzz_cluster.c begins with of messages: one of each kind, as it is written today.
 *
 *   build/…/tests/seeds_cluster FOLDER          such as tests/fuzz/corpus/cluster */
#include "schedulers/cluster/protocol.h"

#include <ctype.h>
#include <stdio.h>

/* Fields that a kind does not have are not written. */
static rk_message message_of(rk_said kind)
{
    return (rk_message){.kind = kind,
                        .flag = 1,
                        .version = RK_PROTOCOL_VERSION,
                        .run = 1,
                        .unit = 2,
                        .attempt = 3,
                        .task = 4,
                        .status = 5,
                        .done = 6,
                        .retries = 7,
                        .threads = 8,
                        .lanes = 9,
                        .worker = 10,
                        .bytes = 1 << 20,
                        .size = 1 << 10,
                        .duration = 1000000,
                        .age = 2000000,
                        .text = rk_word("host"),
                        .program = rk_word("01234567890123456789"),
                        .library = rk_word("98765432109876543210"),
                        .contact = rk_word("tcp://127.0.0.1:7077"),
                        .blob = rk_word("sixteen bytes or")};
}

/* message-told-all, of TOLD_ALL. */
static void name_file(rk_said kind, const char *folder, char *path, size_t capacity)
{
    size_t at = (size_t)snprintf(path, capacity, "%s/message-", folder);
    for (const char *name = rk_message_name(kind); *name && at + 1 < capacity; name++)
        path[at++] = *name == '_' ? '-' : (char)tolower((unsigned char)*name);
    path[at < capacity ? at : capacity - 1] = '\0';
}

static int write_seed(rk_said kind, const char *folder)
{
    static const char of_messages = 0; /* the first byte */
    char path[4096];
    rk_pack_out out = {0};
    const rk_message m = message_of(kind);
    rk_pack_put(&out, &of_messages, 1);
    rk_message_put(&out, &m);
    name_file(kind, folder, path, sizeof path);
    FILE *file = out.failed ? NULL : fopen(path, "wb");
    int failed = !file || fwrite(out.data, 1, out.size, file) != out.size;
    failed |= file && fclose(file);
    if (failed)
        fprintf(stderr, "%s cannot be written\n", path);
    rk_pack_out_fini(&out);
    return failed;
}

int main(int argc, char **argv)
{
    int failures = argc != 2;
    for (int kind = 0; kind < RK_SAY_COUNT && !failures; kind++)
        failures += write_seed((rk_said)kind, argv[1]);
    return failures != 0;
}
