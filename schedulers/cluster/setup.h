/* schedulers/cluster/setup: where a cluster is, and who belongs to it. */
#ifndef RASK_SCHEDULERS_CLUSTER_SETUP_H
#define RASK_SCHEDULERS_CLUSTER_SETUP_H

#include "core/task/task.h"
#include "schedulers/cluster/transport.h"

/* Keys as a key file has them; "" each where the cluster is open. */
typedef struct rk_cluster_keys {
    char program[RK_MAX_KEY + 1], worker[RK_MAX_KEY + 1]; /* secret */
} rk_cluster_keys;

/* A file of two lines, "program HEX" and "worker HEX", that nobody else can read. RASK_EIO, RASK_EFORMAT, or RASK_EINVAL (others
 * can read it), with a reason that names the file. */
int rk_cluster_keys_read(const char *path, rk_cluster_keys *keys, char *reason, size_t capacity);
/* Makes keys, and the file, which must not exist. RASK_EEXIST, RASK_EIO, or as the engine's make_secret(). */
int rk_cluster_keys_write(const char *path, const rk_transport_engine *engine, char *reason, size_t capacity);

/* Nobody beyond this machine reaches the address; of TCP, other engines' addresses pass. */
bool rk_cluster_is_local(const char *address);

/* The build-ids that both sides must agree on. RASK_EUNSUPPORTED: the program has none, with a reason. */
typedef struct rk_cluster_ids {
    rk_identity program, library;
} rk_cluster_ids;
int rk_cluster_ids_find(rk_cluster_ids *ids, char *reason, size_t capacity);

#endif
