/* Any bytes as what collections send to other processes of a cluster: an array's source, a program, a search, recipes of
 * tables and of bags, by the first byte. Refused, or read, and nothing leaks. With replay.c a test over the corpus; with clang's -fsanitize=fuzzer,address a
 * fuzzer. */
#include "collections/array/program.h"
#include "collections/bag/recipe.h"
#include "collections/search/travel.h"
#include "collections/table/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_class(const rask_class *cls, rask_bytes bytes)
{
    void *data;
    if (!cls->decode(bytes, &data))
        cls->destroy(data);
}

static void read_shared(int (*decode)(rask_bytes, void **), rask_bytes bytes)
{
    void *shared;
    if (!decode(bytes, &shared))
        rk_shared_destroy(shared);
}

static void read_search(rask_bytes bytes)
{
    rk_search_job *job;
    if (!rk_search_job_decode(bytes, &job))
        rk_search_guest_free(job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    const rask_bytes bytes = {(const char *)data + 1, size - 1};
    switch (data[0] % 5) {
    case 0: read_class(&rk_source_class, bytes); break;
    case 1: read_class(&rk_program_class, bytes); break;
    case 2: read_search(bytes); break;
    case 3: read_shared(rk_table_shared_decode, bytes); break;
    default: read_shared(rk_bag_shared_decode, bytes); break;
    }
    return 0;
}
