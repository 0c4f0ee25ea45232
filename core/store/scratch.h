/* core/store/scratch: a file without a name, for results that memory has no room for.
 *
 * It is unlinked before anything is written, so that nothing is left behind however the program ends. Space
 * that is given back is used again. All calls but init and fini are thread-safe. */
#ifndef RASK_CORE_STORE_SCRATCH_H
#define RASK_CORE_STORE_SCRATCH_H

#include "core/base/array.h"
#include "core/base/limits.h"

#include <pthread.h>
#include <stdint.h>

/* Sizes of places: steps of a quarter between powers of two, from RK_SCRATCH_LEAST on. */
enum { RK_SCRATCH_LEAST_BIT = 10, RK_SCRATCH_CLASSES = 4 * (62 - RK_SCRATCH_LEAST_BIT) };

typedef struct rk_scratch {
    pthread_mutex_t lock; /* nothing else is locked under it */
    int fd;               /* -1: not open */
    const char *folder;
    uint64_t end; /* of the part in use */
    uint64_t *free_places[RK_SCRATCH_CLASSES];
    uint32_t free_count[RK_SCRATCH_CLASSES], free_room[RK_SCRATCH_CLASSES];
} rk_scratch;

#define RK_NO_PLACE UINT64_MAX

/* Not open yet. folder outlives the scratch. */
void rk_scratch_init(rk_scratch *scratch, const char *folder);
void rk_scratch_fini(rk_scratch *scratch);

/* Opens the file unless it is open. RASK_EIO, with a message that names the folder. */
int rk_scratch_open(rk_scratch *scratch, char *message, size_t capacity);

/* A place for so many bytes; never fails. */
uint64_t rk_scratch_take(rk_scratch *scratch, uint64_t bytes);
/* The place is free again. */
void rk_scratch_give(rk_scratch *scratch, uint64_t place, uint64_t bytes);

/* All of it, or RASK_EIO with a message: a full disk, a file that ends too early. */
int rk_scratch_write(const rk_scratch *scratch, uint64_t place, const void *data, uint64_t bytes,
                     char *message, size_t capacity);
int rk_scratch_read(const rk_scratch *scratch, uint64_t place, void *data, uint64_t bytes, char *message,
                    size_t capacity);

#endif
