/* collections/table/arrow/bodies: the module for compressed batches, when such are met. */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_BODIES_H
#define RASK_COLLECTIONS_TABLE_ARROW_BODIES_H

#include "collections/files/file.h"
#include "collections/table/modules/bodies.h"

/* NULL with error, RASK_EUNSUPPORTED, which names path, the module and the packages that have it. */
const rk_bodies_module *rk_bodies_load(const char *path, rk_open_error *error);

#endif
