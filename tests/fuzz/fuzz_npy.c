/* Any bytes as a .npy file: it is refused with a reason, or all of its elements are there. */
#include "memory_file.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memory_file f = memory_file_new(data, size);
    rk_open_error error = {0};
    rk_source *source = rk_npy_open(f.path, &error);
    if (source)
        check_source(source);
    else
        check_refusal(&error, f.path);
    close(f.fd);
    return 0;
}
