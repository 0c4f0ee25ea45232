/* collections/array/files/claim: paths that sinks of this process are writing to, so that no two end in one place. */
#ifndef RASK_COLLECTIONS_ARRAY_FILES_CLAIM_H
#define RASK_COLLECTIONS_ARRAY_FILES_CLAIM_H

#include "collections/array/source.h"

typedef struct rk_claim rk_claim;

/* Makes path, or another spelling of it, unavailable to others until rk_claim_release(); links at its end are not followed:
 * resolve them first. NULL with error: RASK_EEXIST when somebody has it, what the system says of its folder. Thread-safe. */
rk_claim *rk_claim_path(const char *path, rk_open_error *error);
void rk_claim_release(rk_claim *claim); /* NULL is legal */

#endif
