/* schedulers/cluster/setup: where a cluster is, and who belongs to it. */
#ifndef RASK_SCHEDULERS_CLUSTER_SETUP_H
#define RASK_SCHEDULERS_CLUSTER_SETUP_H

#include "core/task/task.h"
#include "schedulers/cluster/transport.h"

/* Keys as a key file has them; "" each where the cluster is open. */
typedef struct rk_cluster_keys {
    char program[RK_MAX_KEY + 1], worker[RK_MAX_KEY + 1]; /* secret */
} rk_cluster_keys;

/* A file of two lines, "program HEX" and "worker HEX", that nobody else can read. One that is being made is waited for, a second at
 * most. RASK_EFORMAT or RASK_EIO (as when others can read what is a key file), with a reason that names the file; *keys is empty then. */
int rk_cluster_keys_read(const char *path, rk_cluster_keys *keys, char *reason, size_t capacity);
/* Makes keys, and the file, which must not exist. RASK_EEXIST, RASK_EIO, or as the engine's make_secret(). */
int rk_cluster_keys_write(const char *path, const rk_transport_engine *engine, char *reason, size_t capacity);

enum { RK_MAX_KEY_PATH = 511 };

/* The key file that counts at an address: the one that is named, or else the user's own, which is made when it is not there;
 * "": none, since it is said so, or the address is of another engine than TCP's. RASK_EINVAL: named, and insecure; RASK_ELIMIT; as
 * rask_cluster_own_keys(); with a reason, and path is "". */
int rk_cluster_keys_choose(const char *address, const char *key_file, bool insecure,
                           char path[RK_MAX_KEY_PATH + 1], char *reason, size_t capacity);
/* What whoever was not let in is to know of the keys here: "", or a text that begins with a semicolon. */
void rk_cluster_keys_tell(const char *key_file, char *text, size_t capacity);

/* Nobody beyond this machine reaches the address; of TCP, other engines' addresses pass. */
bool rk_cluster_is_local(const char *address);

/* The build-ids that both sides must agree on. RASK_EUNSUPPORTED: the program has none, with a reason. */
typedef struct rk_cluster_ids {
    rk_identity program, library;
} rk_cluster_ids;
int rk_cluster_ids_find(rk_cluster_ids *ids, char *reason, size_t capacity);

#endif
