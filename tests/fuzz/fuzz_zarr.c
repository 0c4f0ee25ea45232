/* Any bytes as a document about a Zarr array, of both versions: it is refused with a reason, or tells of an array whose
 * chunks have keys and fit into memory's numbers. */
#include "collections/array/files/zarr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_meta(const rk_zarr_meta *m)
{
    bool seen[RASK_MAX_DIMENSIONS] = {false};
    int64_t index[RASK_MAX_DIMENSIONS], bytes = (int64_t)rask_dtype_size(m->dtype);
    char key[RK_ZARR_MAX_KEY];
    assert(bytes > 0 && m->ndim <= RASK_MAX_DIMENSIONS);
    for (uint32_t i = 0; i < m->ndim; i++) {
        assert(m->shape[i] >= 0 && m->chunk[i] > 0);
        assert(m->order[i] < m->ndim && !seen[m->order[i]]);
        seen[m->order[i]] = true;
        bytes *= m->chunk[i];
        index[i] = m->shape[i] / m->chunk[i];
    }
    assert(bytes == m->chunk_bytes);
    rk_zarr_key(m, index, key);
    assert(*key && strlen(key) < sizeof key - 1);
    assert(m->separator == '.' || m->separator == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    for (int version = 2; version <= 3; version++) {
        rk_zarr_meta meta;
        char message[400] = "";
        int status =
            (version == 2 ? rk_zarr_parse_v2 : rk_zarr_parse_v3)(text, size, &meta, message, sizeof message);
        if (status == RASK_OK)
            check_meta(&meta);
        else
            assert(*message || status == RASK_ETYPE);
    }
    free(text);
    return 0;
}
