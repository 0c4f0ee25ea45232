/* collections/array/files/hdf5: the module rask-hdf5, when a file of that kind is met. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_HDF5_H
#define RASK_COLLECTIONS_ARRAY_FILES_HDF5_H

#include "collections/array/modules/hdf5.h"
#include "collections/array/source.h"

/* Loads it; NULL with error, which names path. Thread-safe. */
const rk_hdf5_module *rk_hdf5_load(const char *path, rk_open_error *error);

#endif
