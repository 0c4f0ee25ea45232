#include "collections/array/files/claim.h"

#include "collections/files/file.h"
#include "core/base/alloc.h"
#include "core/base/forks.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

struct rk_claim {
    rk_claim *next;
    dev_t device; /* of the folder, */
    ino_t folder; /* which may have many names */
    char *name;   /* in the folder */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
RK_KNOW_FORKS(lock)
static rk_claim *claims; /* under lock */

static bool is_same(const rk_claim *a, const rk_claim *b)
{
    return a->device == b->device && a->folder == b->folder && strcmp(a->name, b->name) == 0;
}

/* Whether nobody had it. */
static bool take(rk_claim *claim)
{
    know_forks();
    pthread_mutex_lock(&lock);
    const rk_claim *other = claims;
    while (other && !is_same(other, claim))
        other = other->next;
    if (!other) {
        claim->next = claims;
        claims = claim;
    }
    pthread_mutex_unlock(&lock);
    return !other;
}

static void free_claim(rk_claim *claim)
{
    if (claim)
        rk_free(claim->name);
    rk_free(claim);
}

/* "FOLDER/" of len bytes, or "." for none. */
static int look_at_folder(const char *path, size_t len, struct stat *folder)
{
    char *name = len ? rk_strndup(path, len) : rk_strndup(".", 1);
    errno = ENOMEM;
    int outcome = name ? stat(name, folder) : -1;
    rk_free(name);
    return outcome;
}

rk_claim *rk_claim_path(const char *path, rk_open_error *error)
{
    size_t end = strlen(path);
    struct stat folder;
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t base = end;
    while (base > 0 && path[base - 1] != '/')
        base--;
    rk_claim *claim = rk_calloc(1, sizeof *claim);
    char *name = claim ? rk_strndup(path + base, end - base) : NULL;
    if (!name) {
        free_claim(claim);
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
    }
    claim->name = name;
    if (look_at_folder(path, base, &folder)) {
        rk_open_fail_errno(error, path);
        free_claim(claim);
        return NULL;
    }
    claim->device = folder.st_dev;
    claim->folder = folder.st_ino;
    if (take(claim))
        return claim;
    free_claim(claim);
    return rk_open_fail(error, RASK_EEXIST,
                        "%s: is being written already: each output needs a path of its own", path);
}

void rk_claim_release(rk_claim *claim)
{
    if (!claim)
        return;
    pthread_mutex_lock(&lock);
    rk_claim **at = &claims;
    while (*at != claim)
        at = &(*at)->next;
    *at = claim->next;
    pthread_mutex_unlock(&lock);
    free_claim(claim);
}
