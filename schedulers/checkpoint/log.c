/* Design notes.
 *
 *   appended   bytes of the file when all is written that was appended
 *   written    bytes that are in it; always the end of a whole result
 *   gathering  what lies between, but for what the thread is writing just now
 *
 * The thread takes what was gathered, gives an empty buffer in its place, and writes without the lock. When writing fails, what is
 * in the file behind written is cut off again, what was gathered is forgotten, and nothing is taken any more: what is there
 * stays whole. */
#include "schedulers/checkpoint/log.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/cond.h"
#include "core/base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC   UINT64_C(0x6c616e72756f6a)
#define VERSION 1u

typedef struct head {
    uint64_t magic;
    uint32_t version, zero;
} head;

typedef struct buffer {
    char *data;
    uint64_t size, capacity;
} buffer;

struct rk_log {
    int fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work; /* for the thread: there is something, or all is to end */
    pthread_cond_t room; /* something was written */
    buffer gathering, writing;
    uint64_t appended, written;
    uint64_t synced_ns;
    uint32_t hurried; /* callers that wait for it to be written */
    bool ending;
    int failure;
};

/* -- Writing */

/* Under the lock, which it gives away meanwhile. */
static void write_gathered(rk_log *log)
{
    buffer full = log->gathering;
    log->gathering = log->writing;
    log->writing = full;
    pthread_mutex_unlock(&log->lock);
    bool good = rk_write_at(log->fd, full.data, full.size, log->written);
    int reason = good ? 0 : errno;
    if (!good)
        (void)!ftruncate(log->fd, (off_t)log->written);
    pthread_mutex_lock(&log->lock);
    log->failure = reason;
    log->written += good ? full.size : 0;
    log->writing.size = 0;
    if (!good)
        log->gathering.size = 0;
    pthread_cond_broadcast(&log->room);
}

/* The same. */
static void sync_now_and_then(rk_log *log)
{
    uint64_t now = rk_clock_now();
    if (now - log->synced_ns < RK_CHECKPOINT_SYNC_NS)
        return;
    log->synced_ns = now;
    pthread_mutex_unlock(&log->lock);
    (void)!fdatasync(log->fd);
    pthread_mutex_lock(&log->lock);
}

/* More may come in the meantime, and is written with it. Under the lock. */
static void gather(rk_log *log)
{
    struct timespec until = rk_cond_in(RK_CHECKPOINT_WRITE_NS);
    while (!log->ending && !log->hurried && log->gathering.size < RK_CHECKPOINT_BUFFER / 2 &&
           rk_cond_wait_until(&log->work, &log->lock, &until)) {
    }
}

static void *write_on(void *context)
{
    rk_log *log = context;
    pthread_mutex_lock(&log->lock);
    while (!log->ending || log->gathering.size) {
        if (!log->gathering.size) {
            pthread_cond_wait(&log->work, &log->lock);
            continue;
        }
        gather(log);
        write_gathered(log);
        sync_now_and_then(log);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* Under the lock. */
static bool make_room(buffer *b, uint64_t size)
{
    if (size <= b->capacity - b->size)
        return true;
    uint64_t capacity = b->capacity ? b->capacity : (uint64_t)64 << 10;
    while (capacity - b->size < size)
        capacity *= 2;
    char *grown = rk_realloc(b->data, capacity);
    if (!grown)
        return false;
    b->data = grown;
    b->capacity = capacity;
    return true;
}

static void add(buffer *b, const void *bytes, uint64_t size)
{
    if (size)
        memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

bool rk_log_append(rk_log *log, const rk_record *record, const rk_pieces *pieces, uint64_t *offset)
{
    uint64_t size = sizeof *record + record->length;
    pthread_mutex_lock(&log->lock);
    while (!log->failure && log->gathering.size > RK_CHECKPOINT_BUFFER)
        pthread_cond_wait(&log->room, &log->lock);
    bool taken = !log->failure && make_room(&log->gathering, size);
    if (taken) {
        if (!log->gathering.size || log->gathering.size + size > RK_CHECKPOINT_BUFFER / 2)
            pthread_cond_signal(&log->work);
        add(&log->gathering, record, sizeof *record);
        add(&log->gathering, pieces->head, pieces->head_size);
        add(&log->gathering, pieces->tail, pieces->tail_size);
        *offset = log->appended;
        log->appended += size;
    }
    pthread_mutex_unlock(&log->lock);
    return taken;
}

void rk_log_flush(rk_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->hurried++;
    pthread_cond_signal(&log->work);
    while (!log->failure && log->written < log->appended)
        pthread_cond_wait(&log->room, &log->lock);
    log->hurried--;
    pthread_mutex_unlock(&log->lock);
}

int rk_log_failure(rk_log *log)
{
    pthread_mutex_lock(&log->lock);
    int failure = log->failure;
    pthread_mutex_unlock(&log->lock);
    return failure;
}

/* -- Reading */

bool rk_log_has(rk_log *log, uint64_t offset)
{
    pthread_mutex_lock(&log->lock);
    bool has = !log->failure || offset < log->written;
    pthread_mutex_unlock(&log->lock);
    return has;
}

bool rk_log_read(rk_log *log, uint64_t offset, rk_key key, void *bytes, uint64_t length)
{
    rk_record record;
    return rk_read_at(log->fd, &record, sizeof record, offset) && rk_record_is(&record, RK_RECORD_LOG) &&
           rk_key_equal(record.key, key) && record.length == length &&
           rk_read_at(log->fd, bytes, length, offset + sizeof record) &&
           rk_record_fits(&record, bytes, length);
}

/* From behind the head on: everything that is whole. The end of it is where the log goes on. */
static int visit_all(FILE *file, rk_log_findings *findings, uint64_t *end)
{
    rk_record record;
    int status = RASK_OK;
    char *bytes = rk_alloc(RK_CHECKPOINT_SMALL);
    if (!bytes)
        return RASK_ENOMEM;
    while (!status && fread(&record, sizeof record, 1, file) == 1) {
        bool small = rk_record_is(&record, RK_RECORD_LOG) && record.length <= RK_CHECKPOINT_SMALL;
        if (!small || fread(bytes, 1, record.length, file) != record.length)
            break;
        if (rk_record_fits(&record, bytes, record.length))
            status = findings->visit(findings->context, record.key, *end, record.length);
        else
            findings->damaged++;
        *end += sizeof record + record.length;
    }
    rk_free(bytes);
    return status;
}

static int complain(const char *path, int reason, char *message, size_t capacity)
{
    snprintf(message, capacity, "%s: %s", path, strerror(reason));
    return reason == ENOMEM ? RASK_ENOMEM : RASK_EIO;
}

/* What is not whole is cut off, and the rest visited. */
static int begin(rk_log *log, const char *path, rk_log_findings *findings, char *message, size_t capacity)
{
    struct stat there;
    head h = {0};
    FILE *file = fopen(path, "rbe");
    if (!file || fstat(log->fd, &there)) {
        if (file)
            fclose(file);
        return complain(path, errno, message, capacity);
    }
    const head ours = {MAGIC, VERSION, 0};
    bool known = fread(&h, sizeof h, 1, file) == 1 && !memcmp(&h, &ours, sizeof h);
    uint64_t end = known ? sizeof h : 0;
    int status = known ? visit_all(file, findings, &end) : RASK_OK;
    fclose(file);
    if (status)
        return complain(path, ENOMEM, message, capacity);
    findings->foreign = !known && there.st_size > 0;
    findings->torn = (uint64_t)there.st_size - end;
    if (findings->torn && ftruncate(log->fd, (off_t)end))
        return complain(path, errno, message, capacity);
    if (!known && !rk_write_at(log->fd, &ours, sizeof ours, 0))
        return complain(path, errno, message, capacity);
    log->written = log->appended = known ? end : sizeof ours;
    return RASK_OK;
}

/* Signals are for the program's own threads. */
static int start_thread(rk_log *log)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&log->thread, NULL, write_on, log);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason;
}

static void free_log(rk_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    rk_free(log->gathering.data);
    rk_free(log->writing.data);
    pthread_mutex_destroy(&log->lock);
    pthread_cond_destroy(&log->work);
    pthread_cond_destroy(&log->room);
    rk_free(log);
}

int rk_log_open(const char *path, rk_log_findings *findings, rk_log **out, char *message, size_t capacity)
{
    rk_log *log = rk_calloc(1, sizeof *log);
    if (!log)
        return complain(path, ENOMEM, message, capacity);
    pthread_mutex_init(&log->lock, NULL);
    rk_cond_init(&log->work);
    pthread_cond_init(&log->room, NULL);
    log->synced_ns = rk_clock_now();
    log->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int status = log->fd < 0 ? complain(path, errno, message, capacity)
                             : begin(log, path, findings, message, capacity);
    int reason = status ? 0 : start_thread(log);
    if (reason) {
        complain(path, reason, message, capacity);
        status = RASK_ESYSTEM;
    }
    if (status)
        free_log(log);
    else
        *out = log;
    return status;
}

void rk_log_close(rk_log *log)
{
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->ending = true;
    pthread_cond_signal(&log->work);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    (void)!fdatasync(log->fd);
    free_log(log);
}
