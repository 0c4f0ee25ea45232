#include "collections/text/shared.h"

#include "core/base/alloc.h"

#include <pthread.h>
#include <string.h>

enum { READER_BYTES = 1 << 20 }; /* about, with its decoder */

/* One of the files. What it has is for who holds the lock. */
typedef struct source {
    pthread_mutex_t lock;
    rk_text_lines *lines; /* NULL: not open */
    bool ended;
    bool (*cancelled)(void *context); /* of who holds the lock */
    void *context;
} source;

struct rk_text_shared {
    const rk_text_files *files;
    const rk_text_range *ranges;
    rk_text_options options;
    uint32_t count;
    source sources[];
};

int rk_text_shared_new(const rk_text_files *files, const rk_text_range *ranges, uint32_t count,
                       const rk_text_options *options, rk_text_shared **out)
{
    rk_text_shared *shared = rk_calloc(1, sizeof *shared + count * sizeof *shared->sources);
    if (!shared)
        return RASK_ENOMEM;
    shared->files = files;
    shared->ranges = ranges;
    shared->options = *options;
    shared->count = count;
    for (uint32_t i = 0; i < count; i++)
        pthread_mutex_init(&shared->sources[i].lock, NULL);
    *out = shared;
    return RASK_OK;
}

void rk_text_shared_free(rk_text_shared *shared)
{
    for (uint32_t i = 0; shared && i < shared->count; i++) {
        rk_text_lines_free(shared->sources[i].lines);
        pthread_mutex_destroy(&shared->sources[i].lock);
    }
    rk_free(shared);
}

size_t rk_text_shared_bytes(void)
{
    return READER_BYTES + 2 * RK_TEXT_BLOCK;
}

static bool is_cancelled(void *what)
{
    const source *s = what;
    return s->cancelled && s->cancelled(s->context);
}

static int open_source(rk_text_shared *shared, source *s, rk_text_error *error)
{
    const rk_text_range *range = &shared->ranges[s - shared->sources];
    rk_text_options options = shared->options;
    options.cancelled = is_cancelled;
    options.context = s;
    return rk_text_lines_new(&shared->files->files[range->file], range->begin, range->end, &options,
                             &s->lines, error);
}

static int copy_piece(rk_text_piece *piece, const char *text, size_t len)
{
    if (piece->capacity < len || !piece->data) {
        char *data = rk_alloc(len + RK_TEXT_PADDING);
        if (!data)
            return RASK_ENOMEM;
        rk_free(piece->data);
        piece->data = data;
        piece->capacity = len;
    }
    if (len)
        memcpy(piece->data, text, len);
    memset(piece->data + len, 0, RK_TEXT_PADDING);
    piece->len = len;
    return RASK_OK;
}

/* The next piece of one file, whose lock is held. */
static int take_from(rk_text_shared *shared, source *s, rk_text_piece *piece, rk_text_error *error)
{
    const char *text;
    size_t len = 0;
    int status = s->lines ? RASK_OK : open_source(shared, s, error);
    if (!status)
        status = rk_text_lines_next(s->lines, &text, &len, error);
    if (!status && len && copy_piece(piece, text, len))
        status =
            rk_text_fail_memory(error, shared->files->files[shared->ranges[s - shared->sources].file].path);
    if (status || len == 0) {
        s->ended = true;
        rk_text_lines_free(s->lines);
        s->lines = NULL;
    }
    return status;
}

/* A file that has not ended, with its lock: one that nobody reads, if there is any; NULL: all have ended. */
static source *lock_one(rk_text_shared *shared, uint32_t first)
{
    for (;;) {
        source *busy = NULL;
        for (uint32_t i = 0; i < shared->count; i++) {
            source *s = &shared->sources[(first + i) % shared->count];
            if (pthread_mutex_trylock(&s->lock)) {
                busy = busy ? busy : s;
                continue;
            }
            if (!s->ended)
                return s;
            pthread_mutex_unlock(&s->lock);
        }
        if (!busy)
            return NULL;
        pthread_mutex_lock(&busy->lock);
        if (!busy->ended)
            return busy;
        pthread_mutex_unlock(&busy->lock);
    }
}

int rk_text_shared_take(rk_text_shared *shared, uint32_t first, bool (*cancelled)(void *context),
                        void *context, rk_text_piece *piece, rk_text_error *error)
{
    source *s;
    int status = RASK_OK;
    piece->len = 0;
    while (!status && piece->len == 0 && (s = lock_one(shared, first))) {
        s->cancelled = cancelled;
        s->context = context;
        status = take_from(shared, s, piece, error);
        pthread_mutex_unlock(&s->lock);
    }
    return status;
}
