/* collections/array/files/sink: the formats that rk_sink_open() chooses from. Each returns a sink, or NULL with a status
 * and a reason (with the path) in error. options is never NULL. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_SINK_H
#define RASK_COLLECTIONS_ARRAY_FILES_SINK_H

#include "collections/array/source.h"
#include "collections/files/temporary.h"

/* What a sink is to hold. */
typedef struct rk_sink_form {
    const char *path;
    const rask_store_options *options;
    rask_dtype dtype;
    uint32_t ndim;
    const int64_t *shape;
    int64_t bytes; /* of all elements */
} rk_sink_form;

rk_sink *rk_npy_sink(const rk_sink_form *form, rk_open_error *error);
rk_sink *rk_raw_sink(const rk_sink_form *form, rk_open_error *error);
rk_sink *rk_hdf5_sink(const rk_sink_form *form, rk_open_error *error);
rk_sink *rk_zarr_sink(const rk_sink_form *form, int version, rk_open_error *error);

/* A sink that writes elements at offset and further of temporary, which it takes over, also on failure. */
rk_sink *rk_linear_sink(const rk_sink_form *form, rk_temporary *temporary, int64_t offset,
                        rk_open_error *error);

/* Sets dtype, ndim and shape of *sink, which is zeroed. */
void rk_sink_describe(rk_sink *sink, const rk_sink_form *form);

/* Chunks for formats that have them: what options ask for, else of about a MiB or four, longest in the last axes. False,
 * with error: a length is negative. */
bool rk_sink_chunks(const rk_sink_form *form, int64_t *chunk, rk_open_error *error);

#endif
