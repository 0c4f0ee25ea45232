/* collections/array/files/codecs: the module rask-codecs, when something compressed is met. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_CODECS_H
#define RASK_COLLECTIONS_ARRAY_FILES_CODECS_H

#include "collections/array/modules/codecs.h"
#include "collections/array/source.h"

/* Loads it; NULL with error, which names path. Thread-safe. */
const rk_codecs_module *rk_codecs_load(const char *path, rk_open_error *error);

#endif
