/* Any bytes as an .npz file: its only member, and one called x, are refused with a reason or can be read. */
#include "memory_file.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const members[] = {NULL, "x"};
    memory_file f = memory_file_new(data, size);
    for (size_t i = 0; i < 2; i++) {
        rk_open_error error = {0};
        rk_source *source = rk_npz_open(f.path, members[i], &error);
        if (source)
            check_source(source);
        else
            check_refusal(&error, f.path);
    }
    close(f.fd);
    return 0;
}
