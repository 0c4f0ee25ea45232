#include "schedulers/checkpoint/journal.h"

#include "core/base/alloc.h"
#include "core/base/atomic.h"
#include "core/base/limits.h"
#include "core/base/print.h"
#include "core/value/value.h"
#include "schedulers/checkpoint/folder.h"
#include "schedulers/checkpoint/index.h"
#include "schedulers/checkpoint/log.h"
#include "schedulers/cluster/values.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rk_journal {
    rk_journal *next; /* of all that are open */
    uint32_t refs;
    pid_t process;
    dev_t device; /* of the folder, */
    ino_t inode;
    char *path; /* and its name, however the caller stands later */
    int lock_file;
    rk_log *log;
    pthread_mutex_t lock; /* of what follows */
    rk_index index;
    rk_journal_figures figures;
    rk_log_findings findings;
    bool others;
    int failure; /* an errno: nothing is taken any more */
};

/* Held while a journal is opened or closed, so that who comes next finds it whole, or its folder free. A fork does not wait for
 * that: the child has the lock anew, and finds the list as it was before or after, since one pointer makes the difference. */
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(rk_journal *) all; /* changed under all_lock */

static void renew_at_fork(void)
{
    pthread_mutex_init(&all_lock, NULL);
}

static void register_forks(void)
{
    pthread_atfork(NULL, NULL, renew_at_fork);
}

/* -- Opening */

static int note_log(void *context, rk_key key, uint64_t offset, uint64_t length)
{
    rk_journal *j = context;
    const rk_place place = {key, offset, length};
    return rk_key_is(key) ? rk_index_put(&j->index, &place) : RASK_OK;
}

/* How long it is turns out when it is asked for. */
static int note_file(void *context, rk_key key)
{
    rk_journal *j = context;
    const rk_place place = {key, RK_PLACE_FILE, UINT64_MAX};
    return rk_index_put(&j->index, &place);
}

static int open_files(rk_journal *j, char *message, size_t capacity)
{
    char log[PATH_MAX];
    rk_folder_names names = {.context = j, .visit = note_file};
    j->findings = (rk_log_findings){.context = j, .visit = note_log};
    int status = rk_folder_lock(j->path, &j->lock_file, message, capacity);
    if (!status)
        status = rk_folder_name(j->path, RK_FOLDER_VERSION ".log", log, message, capacity);
    if (!status)
        status = rk_log_open(log, &j->findings, &j->log, message, capacity);
    if (!status)
        status = rk_folder_look(j->path, &names, message, capacity);
    j->others = names.others;
    return status;
}

static void free_journal(rk_journal *j)
{
    rk_log_close(j->log);
    if (j->path)
        rk_folder_sync(j->path);
    if (j->lock_file >= 0)
        close(j->lock_file);
    rk_index_fini(&j->index);
    pthread_mutex_destroy(&j->lock);
    rk_free(j->path);
    rk_free(j);
}

static int make(const char *folder, const struct stat *there, rk_journal **out, char *message,
                size_t capacity)
{
    char path[PATH_MAX];
    rk_journal *j = realpath(folder, path) ? rk_calloc(1, sizeof *j) : NULL;
    if (!j) {
        snprintf(message, capacity, "checkpoint %s: %s", folder, strerror(errno));
        return RASK_EIO;
    }
    *j = (rk_journal){
        .refs = 1, .process = getpid(), .device = there->st_dev, .inode = there->st_ino, .lock_file = -1};
    pthread_mutex_init(&j->lock, NULL);
    j->path = rk_strndup(path, strlen(path));
    int status = j->path ? open_files(j, message, capacity) : RASK_ENOMEM;
    if (status)
        free_journal(j);
    else
        *out = j;
    return status;
}

/* Under all_lock. */
static rk_journal *find_open(const struct stat *there)
{
    rk_journal *j = rk_load_relaxed(&all);
    while (j && (j->device != there->st_dev || j->inode != there->st_ino))
        j = j->next;
    return j;
}

static int open_or_share(const char *folder, const struct stat *there, rk_journal **out, char *message,
                         size_t capacity)
{
    rk_journal *j = find_open(there);
    if (j && j->process != getpid()) {
        *out = NULL;
        return RASK_OK;
    }
    if (j) {
        j->refs++;
        *out = j;
        return RASK_OK;
    }
    int status = make(folder, there, out, message, capacity);
    if (!status) {
        (*out)->next = rk_load_relaxed(&all);
        rk_store_release(&all, *out);
    }
    return status;
}

int rk_journal_open(const char *folder, rk_journal **out, char *message, size_t capacity)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct stat there;
    snprintf(message, capacity, "checkpoint %s: %s", folder, rask_status_text(RASK_ENOMEM));
    int status = rk_folder_make(folder, message, capacity);
    if (!status && stat(folder, &there)) {
        snprintf(message, capacity, "checkpoint %s: %s", folder, strerror(errno));
        status = RASK_EIO;
    }
    if (status)
        return status;
    pthread_once(&once, register_forks);
    pthread_mutex_lock(&all_lock);
    status = open_or_share(folder, &there, out, message, capacity);
    pthread_mutex_unlock(&all_lock);
    return status;
}

/* Under all_lock. */
static void take_out(const rk_journal *journal)
{
    rk_journal *before = rk_load_relaxed(&all);
    if (before == journal) {
        rk_store_release(&all, journal->next);
        return;
    }
    while (before->next != journal)
        before = before->next;
    before->next = journal->next;
}

/* Under all_lock to the end, so that who opens the folder next finds it unlocked. */
void rk_journal_close(rk_journal *journal)
{
    if (!journal)
        return;
    pthread_mutex_lock(&all_lock);
    if (!--journal->refs) {
        take_out(journal);
        free_journal(journal);
    }
    pthread_mutex_unlock(&all_lock);
}

/* -- Files of their own */

static bool name_file(const rk_journal *j, rk_key key, bool whole, char path[PATH_MAX])
{
    char name[RK_FOLDER_NAME], message[1];
    rk_folder_name_key(key, whole, name);
    return !rk_folder_name(j->path, name, path, message, sizeof message);
}

/* The file of a result, whose record and size are as they should be; its length. -1: it is none. */
static int open_file(const rk_journal *j, rk_key key, uint64_t *length, rk_record *record)
{
    char path[PATH_MAX];
    struct stat file;
    int fd = name_file(j, key, true, path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0)
        return -1;
    bool good = !fstat(fd, &file) && rk_read_at(fd, record, sizeof *record, 0) &&
                rk_record_is(record, RK_RECORD_FILE) && rk_key_equal(record->key, key) &&
                (uint64_t)file.st_size == sizeof *record + record->length;
    if (!good) {
        close(fd);
        return -1;
    }
    *length = record->length;
    return fd;
}

static bool read_file(const rk_journal *j, rk_key key, void *bytes, uint64_t length)
{
    rk_record record;
    uint64_t found;
    int fd = open_file(j, key, &found, &record);
    bool good = fd >= 0 && found == length && rk_read_at(fd, bytes, length, sizeof record) &&
                rk_record_fits(&record, bytes, length);
    if (fd >= 0)
        close(fd);
    return good;
}

static bool write_pieces(int fd, const rk_record *record, const rk_pieces *pieces)
{
    uint64_t at = sizeof *record;
    return rk_write_at(fd, record, sizeof *record, 0) &&
           rk_write_at(fd, pieces->head, pieces->head_size, at) &&
           rk_write_at(fd, pieces->tail, pieces->tail_size, at + pieces->head_size) && !fdatasync(fd);
}

/* Whole under its name, or not there. 0, or an errno. */
static int write_file(const rk_journal *j, const rk_record *record, const rk_pieces *pieces)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    if (!name_file(j, record->key, true, path) || !name_file(j, record->key, false, temporary))
        return ENAMETOOLONG;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int reason = write_pieces(fd, record, pieces) ? 0 : errno;
    if (close(fd) && !reason)
        reason = errno;
    if (!reason && rename(temporary, path))
        reason = errno;
    if (reason)
        unlink(temporary);
    return reason;
}

/* -- Finding and reading */

/* A place that is looked at without the lock. */
static bool place_of(rk_journal *j, rk_key key, rk_place *place)
{
    pthread_mutex_lock(&j->lock);
    const rk_place *found = rk_index_find(&j->index, key);
    if (found)
        *place = *found;
    pthread_mutex_unlock(&j->lock);
    return found;
}

static void forget(rk_journal *j, rk_key key)
{
    pthread_mutex_lock(&j->lock);
    rk_place *found = rk_index_find(&j->index, key);
    if (found)
        found->offset = RK_PLACE_GONE;
    j->figures.damaged += found != NULL;
    pthread_mutex_unlock(&j->lock);
}

bool rk_journal_find(rk_journal *journal, rk_key key, uint64_t *bytes)
{
    rk_place place;
    rk_record record;
    if (!place_of(journal, key, &place))
        return false;
    if (place.offset == RK_PLACE_FILE) {
        int fd = open_file(journal, key, &place.length, &record);
        if (fd < 0) {
            forget(journal, key);
            return false;
        }
        close(fd);
    } else if (!rk_log_has(journal->log, place.offset)) {
        return false;
    }
    *bytes = place.length;
    return true;
}

static int decode(const char *bytes, uint64_t length, rask_value *value, char *message, size_t capacity)
{
    rk_pack_in in = {bytes, bytes + length, false, NULL};
    int status = rk_pack_get_value(&in, value, message, capacity);
    if (!status && rk_pack_left(&in)) {
        rask_value_unref(value);
        snprintf(message, capacity, "there is more than a value");
        status = RASK_EFORMAT;
    }
    return status;
}

int rk_journal_read(rk_journal *journal, rk_key key, rask_value *value, char *message, size_t capacity)
{
    rk_place place;
    char why[128] = "it is not there any more";
    uint64_t length = 0;
    bool found = rk_journal_find(journal, key, &length) && place_of(journal, key, &place);
    char *bytes = found ? rk_alloc(length + 1) : NULL;
    if (found && !bytes) {
        snprintf(message, capacity, "no memory for a kept result of %llu bytes", (unsigned long long)length);
        return RASK_ENOMEM;
    }
    int status = RASK_EFORMAT;
    if (found) {
        bool file = place.offset == RK_PLACE_FILE;
        snprintf(why, sizeof why, "its bytes are not what they were");
        if (file ? read_file(journal, key, bytes, length)
                 : rk_log_read(journal->log, place.offset, key, bytes, length))
            status = decode(bytes, length, value, why, sizeof why);
    }
    rk_free(bytes);
    if (status && status != RASK_ENOMEM) {
        forget(journal, key);
        status = RASK_EFORMAT;
    }
    if (status)
        snprintf(message, capacity, "checkpoint %s: a kept result cannot be used: %s", journal->path, why);
    return status;
}

/* -- Keeping */

/* The bytes of a value; long ones where they are. out: what is made for it, to be ended. */
static bool encode(const rask_value *value, rk_pack_out *out, rk_pieces *pieces)
{
    char message[128];
    rask_bytes rest;
    if (rk_pack_put_flat(out, value, &rest))
        *pieces = (rk_pieces){.tail = rest.data, .tail_size = rest.len};
    else if (rk_pack_put_value(out, value, message, sizeof message))
        return false;
    pieces->head = out->data;
    pieces->head_size = out->size;
    return !out->failed;
}

/* Nothing is taken from here on. */
static void give_up(rk_journal *j, int reason)
{
    pthread_mutex_lock(&j->lock);
    if (!j->failure)
        j->failure = reason;
    pthread_mutex_unlock(&j->lock);
}

static void note_kept(rk_journal *j, const rk_place *place)
{
    pthread_mutex_lock(&j->lock);
    bool noted = !rk_index_put(&j->index, place);
    j->figures.kept += noted;
    j->figures.bytes += noted ? place->length : 0;
    pthread_mutex_unlock(&j->lock);
}

static void keep(rk_journal *j, rk_key key, const rk_pieces *pieces)
{
    bool small = pieces->head_size + pieces->tail_size <= RK_CHECKPOINT_SMALL;
    const rk_record record = rk_record_of(small ? RK_RECORD_LOG : RK_RECORD_FILE, key, pieces);
    rk_place place = {key, RK_PLACE_FILE, record.length};
    int reason = 0;
    if (!small)
        reason = write_file(j, &record, pieces);
    else if (!rk_log_append(j->log, &record, pieces, &place.offset))
        reason = rk_log_failure(j->log) ? rk_log_failure(j->log) : ENOMEM;
    if (reason)
        give_up(j, reason);
    else
        note_kept(j, &place);
}

void rk_journal_put(rk_journal *journal, rk_key key, const rask_value *value)
{
    rk_pack_out out = {0};
    rk_pieces pieces = {0};
    pthread_mutex_lock(&journal->lock);
    bool wanted = !journal->failure && rk_key_is(key) && !rk_index_find(&journal->index, key);
    pthread_mutex_unlock(&journal->lock);
    if (wanted && encode(value, &out, &pieces))
        keep(journal, key, &pieces);
    rk_pack_out_fini(&out);
}

void rk_journal_flush(rk_journal *journal)
{
    rk_log_flush(journal->log);
}

/* -- What is told of it */

rk_journal_figures rk_journal_get_figures(rk_journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    rk_journal_figures figures = journal->figures;
    pthread_mutex_unlock(&journal->lock);
    return figures;
}

void rk_journal_get_note(rk_journal *journal, char note[RK_JOURNAL_NOTE])
{
    char text[RK_JOURNAL_NOTE + 2] = "";
    rk_print out = {text, sizeof text, 0};
    int written = rk_log_failure(journal->log);
    pthread_mutex_lock(&journal->lock);
    const rk_log_findings *found = &journal->findings;
    int failure = journal->failure ? journal->failure : written;
    uint64_t damaged = found->damaged + journal->figures.damaged;
    if (failure)
        rk_print_add(&out, "; nothing is kept any more: %s", strerror(failure));
    if (found->foreign)
        rk_print_add(&out, "; its log was none of this version, and was begun anew");
    else if (found->torn)
        rk_print_add(&out, "; the log's end was torn off, %llu bytes", (unsigned long long)found->torn);
    if (damaged)
        rk_print_add(&out, "; %llu damaged results are made again", (unsigned long long)damaged);
    if (journal->others)
        rk_print_add(&out, "; results of other versions of Rask are there, too, and not used");
    pthread_mutex_unlock(&journal->lock);
    memcpy(note, text + 2, RK_JOURNAL_NOTE); /* without the first separator */
}
