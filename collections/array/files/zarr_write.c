/* Zarr stores as sinks. The store is made in a folder of another name beside its own (zarr_folder.h), which then takes that name; what
 * was there before is exchanged for it in one step, and removed afterwards. Chunks are not forced to the disk one by one:
 * a store may have thousands, and one that a power cut left short is found out when it is read. */
#include "collections/array/files/codecs.h"
#include "collections/array/files/dtype_text.h"
#include "collections/array/files/layout.h"
#include "collections/array/files/packer.h"
#include "collections/array/files/sink.h"
#include "collections/array/files/zarr.h"
#include "collections/array/files/zarr_folder.h"
#include "collections/array/lower.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"
#include "core/base/print.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LITTLE_MACHINE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

enum { MODE_FOLDER = 0777, MODE_FILE = 0666 };

typedef struct zarr_sink {
    rk_sink sink;
    rk_zarr_meta meta;
    rk_sink inner; /* with chunks, where boxes of the sink are shards: for the packer */
    rk_packer packer;
    int version;
    const char *codec_name; /* static; NULL: not compressed */
    char *path;
    rk_zarr_folder folder; /* it is written in */
    rk_claim *claim;       /* of path */
} zarr_sink;

/* -- The document */

static void add_lengths(rk_print *out, const char *key, const int64_t *lengths, uint32_t ndim)
{
    rk_print_add(out, "%s[", key);
    for (uint32_t i = 0; i < ndim; i++)
        rk_print_add(out, "%s%" PRId64, i ? ", " : "", lengths[i]);
    rk_print_add(out, "]");
}

static const char *fill_text(rask_dtype dtype)
{
    return dtype == RASK_DT_BOOL        ? "false"
           : rk_dtype_is_complex(dtype) ? "[0.0, 0.0]"
           : rk_dtype_is_float(dtype)   ? "0.0"
                                        : "0";
}

static void format_v2(rk_print *out, const rk_zarr_meta *m, const char *codec, int level)
{
    add_lengths(out, "{\n    \"chunks\": ", m->chunk, m->ndim);
    rk_print_add(out, ",\n    \"compressor\": ");
    if (!codec)
        rk_print_add(out, "null");
    else if (m->codec == RK_CODEC_BLOSC)
        rk_print_add(
            out, "{\"id\": \"blosc\", \"cname\": \"lz4\", \"clevel\": %d, \"shuffle\": 1, \"blocksize\": 0}",
            level);
    else
        rk_print_add(out, "{\"id\": \"%s\", \"level\": %d}", codec, level);
    rk_print_add(
        out,
        ",\n    \"dtype\": \"%s\",\n    \"fill_value\": %s,\n    \"filters\": null,\n    \"order\": \"C\"",
        rk_typestr(m->dtype), fill_text(m->dtype));
    add_lengths(out, ",\n    \"shape\": ", m->shape, m->ndim);
    rk_print_add(out, ",\n    \"zarr_format\": 2\n}\n");
}

static void format_chunk_codecs(rk_print *out, const rk_zarr_meta *m, const char *codec, int level)
{
    size_t size = rask_dtype_size(m->dtype);
    if (size == 1)
        rk_print_add(out, "[{\"name\": \"bytes\"}");
    else
        rk_print_add(out, "[{\"name\": \"bytes\", \"configuration\": {\"endian\": \"%s\"}}",
                     LITTLE_MACHINE ? "little" : "big");
    if (codec && m->codec == RK_CODEC_BLOSC)
        rk_print_add(
            out,
            ", {\"name\": \"blosc\", \"configuration\": {\"cname\": \"lz4\", \"clevel\": %d, \"shuffle\": "
            "\"shuffle\", \"typesize\": %zu, \"blocksize\": 0}}",
            level, size);
    else if (codec)
        rk_print_add(out, ", {\"name\": \"%s\", \"configuration\": {\"level\": %d%s}}", codec, level,
                     m->codec == RK_CODEC_ZSTD ? ", \"checksum\": false" : "");
    rk_print_add(out, "]");
}

static void format_codecs(rk_print *out, const rk_zarr_meta *m, const char *codec, int level)
{
    rk_print_add(out, ",\n    \"codecs\": ");
    if (m->shards.used) {
        add_lengths(out, "[{\"name\": \"sharding_indexed\", \"configuration\": {\"chunk_shape\": ", m->chunk,
                    m->ndim);
        rk_print_add(out, ",\n        \"codecs\": ");
    }
    format_chunk_codecs(out, m, codec, level);
    if (m->shards.used)
        rk_print_add(out, ",\n        \"index_codecs\": [{\"name\": \"bytes\", \"configuration\": "
                          "{\"endian\": \"little\"}}, "
                          "{\"name\": \"crc32c\"}],\n        \"index_location\": \"end\"}}]");
}

static void format_v3(rk_print *out, const rk_zarr_meta *m, const char *codec, int level)
{
    rk_print_add(out, "{\n    \"zarr_format\": 3,\n    \"node_type\": \"array\"");
    add_lengths(out, ",\n    \"shape\": ", m->shape, m->ndim);
    rk_print_add(out, ",\n    \"data_type\": \"%s\"", rask_dtype_name(m->dtype));
    add_lengths(out, ",\n    \"chunk_grid\": {\"name\": \"regular\", \"configuration\": {\"chunk_shape\": ",
                m->shards.used ? m->shards.shape : m->chunk, m->ndim);
    rk_print_add(
        out,
        "}},\n    \"chunk_key_encoding\": {\"name\": \"default\", \"configuration\": {\"separator\": "
        "\"/\"}},\n    \"fill_value\": %s",
        fill_text(m->dtype));
    format_codecs(out, m, codec, level);
    rk_print_add(out, ",\n    \"attributes\": {}\n}\n");
}

size_t rk_zarr_format(const rk_zarr_meta *meta, int version, const char *codec_name, int level,
                      char text[RK_ZARR_DOCUMENT])
{
    rk_print out = {.buffer = text, .capacity = RK_ZARR_DOCUMENT};
    (version == 2 ? format_v2 : format_v3)(&out, meta, codec_name, level);
    return out.len;
}

/* -- Files and folders */

/* Makes the folders on the way to path, which lies in one that is there. */
static int make_folders(char *path, size_t there)
{
    for (char *slash = path + there; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        int outcome = mkdir(path, MODE_FOLDER);
        *slash = '/';
        if (outcome && errno != EEXIST)
            return -1;
    }
    return 0;
}

/* The descriptor, or -1 with errno. */
static int open_new_file(const zarr_sink *s, const char *name)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC };
    char *path = rk_path_join(s->folder.path, name);
    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    int fd = open(path, FLAGS, MODE_FILE);
    if (fd < 0 && errno == ENOENT && make_folders(path, strlen(s->folder.path)) == 0)
        fd = open(path, FLAGS, MODE_FILE);
    int number = errno;
    rk_free(path);
    errno = number;
    return fd;
}

static int fail_errno(const zarr_sink *s, const char *name, char *message, size_t capacity)
{
    int number = errno;
    snprintf(message, capacity, "%s: writing %s: %s", s->path, name, strerror(number));
    return rk_errno_status(number);
}

static int write_new_file(const zarr_sink *s, const char *name, const void *data, size_t len, char *message,
                          size_t capacity)
{
    int fd = open_new_file(s, name);
    if (fd < 0)
        return fail_errno(s, name, message, capacity);
    int status = rk_file_write(fd, data, len, 0) ? fail_errno(s, name, message, capacity) : RASK_OK;
    return close(fd) && !status ? fail_errno(s, name, message, capacity) : status;
}

static int put_chunk(void *sink, const int64_t *index, const void *data, size_t len, char *message,
                     size_t capacity)
{
    zarr_sink *s = sink;
    char key[RK_ZARR_MAX_KEY];
    rk_zarr_key(&s->meta, index, key);
    return write_new_file(s, key, data, len, message, capacity);
}

/* -- Shards */

/* One that is written: chunks one after another, then the index. */
typedef struct shard {
    const zarr_sink *sink;
    char name[RK_ZARR_MAX_KEY];
    int fd;
    int64_t end;
    rk_zarr_part *parts; /* of its chunks */
} shard;

static int put_part(void *context, const int64_t *index, const void *data, size_t len, char *message,
                    size_t capacity)
{
    shard *w = context;
    int64_t unused[RASK_MAX_DIMENSIONS], number = rk_zarr_shard_of(&w->sink->meta, index, unused);
    if (rk_file_write(w->fd, data, len, w->end))
        return fail_errno(w->sink, w->name, message, capacity);
    w->parts[number] = (rk_zarr_part){w->end, len};
    w->end += (int64_t)len;
    return RASK_OK;
}

static uint64_t shard_scratch(const rk_zarr_shards *shards)
{
    return (uint64_t)shards->count * sizeof(rk_zarr_part) + rk_zarr_index_bytes(shards);
}

/* Into a file that is open. */
static int fill_shard(shard *w, const rk_packer_box *box, char *message, size_t capacity)
{
    const rk_zarr_shards *shards = &w->sink->meta.shards;
    rk_packer packer = w->sink->packer;
    size_t parts = (size_t)shards->count * sizeof *w->parts;
    char *memory = rk_calloc(1, shard_scratch(shards));
    if (!memory) {
        snprintf(message, capacity, "%s: %s", w->sink->path, rask_status_text(RASK_ENOMEM));
        return RASK_ENOMEM;
    }
    w->parts = (rk_zarr_part *)(void *)memory;
    packer.put = put_part;
    packer.context = w;
    int status = rk_packer_write_part(&packer, box, message, capacity);
    if (!status) {
        rk_zarr_index_write(shards, w->parts, (unsigned char *)memory + parts);
        if (rk_file_write(w->fd, memory + parts, rk_zarr_index_bytes(shards), w->end))
            status = fail_errno(w->sink, w->name, message, capacity);
    }
    rk_free(memory);
    return status;
}

static int write_shard(const zarr_sink *s, const int64_t *index, const rk_packer_box *box, char *message,
                       size_t capacity)
{
    shard w = {.sink = s};
    rk_zarr_key(&s->meta, index, w.name);
    w.fd = open_new_file(s, w.name);
    if (w.fd < 0)
        return fail_errno(s, w.name, message, capacity);
    int status = fill_shard(&w, box, message, capacity);
    return close(w.fd) && !status ? fail_errno(s, w.name, message, capacity) : status;
}

/* Each shard of a box that is whole shards. */
static int write_shards(const zarr_sink *s, const int64_t *start, const int64_t *count, const void *data,
                        char *message, size_t capacity)
{
    const rk_zarr_meta *m = &s->meta;
    int64_t at[RASK_MAX_DIMENSIONS] = {0}, shards[RASK_MAX_DIMENSIONS], index[RASK_MAX_DIMENSIONS],
            from[RASK_MAX_DIMENSIONS], length[RASK_MAX_DIMENSIONS];
    if (!rk_shape_size(count, m->ndim))
        return RASK_OK;
    for (uint32_t i = 0; i < m->ndim; i++)
        shards[i] = (count[i] - 1) / m->shards.shape[i] + 1;
    do {
        for (uint32_t i = 0; i < m->ndim; i++) {
            int64_t begin = at[i] * m->shards.shape[i], left = count[i] - begin;
            from[i] = start[i] + begin;
            index[i] = from[i] / m->shards.shape[i];
            length[i] = left < m->shards.shape[i] ? left : m->shards.shape[i];
        }
        int status =
            write_shard(s, index, &(rk_packer_box){start, count, from, length, data}, message, capacity);
        if (status)
            return status;
    } while (rk_index_next(at, shards, m->ndim));
    return RASK_OK;
}

static int zarr_write(rk_sink *sink, const int64_t *start, const int64_t *count, const void *data,
                      char *message, size_t capacity)
{
    zarr_sink *s = (zarr_sink *)sink;
    return s->meta.shards.used ? write_shards(s, start, count, data, message, capacity)
                               : rk_packer_write(&s->packer, start, count, data, message, capacity);
}

/* -- The end */

static void free_sink(zarr_sink *s)
{
    rk_claim_release(s->claim);
    rk_free(s->path);
    rk_zarr_folder_fini(&s->folder);
    rk_free(s);
}

static void zarr_abort(rk_sink *sink)
{
    zarr_sink *s = (zarr_sink *)sink;
    rk_zarr_folder_remove(s->folder.path);
    free_sink(s);
}

/* The store gets its name; what had it before then has the temporary one. Where file systems cannot exchange names,
 * there is a moment when the name is nobody's. */
static int take_name(const zarr_sink *s)
{
    if (rename(s->folder.path, s->path) == 0)
        return 0;
    if (errno != EEXIST && errno != ENOTEMPTY)
        return -1;
    if (renameat2(AT_FDCWD, s->folder.path, AT_FDCWD, s->path, RENAME_EXCHANGE) == 0)
        return 0;
    char *aside = rk_temporary_name(s->path);
    int outcome = aside ? rename(s->path, aside) : -1;
    if (!outcome && (outcome = rename(s->folder.path, s->path)) != 0) {
        int number = errno;
        rename(aside, s->path);
        errno = number;
    } else if (!outcome) {
        rk_zarr_folder_remove(aside);
    }
    rk_free(aside);
    return outcome;
}

static int zarr_commit(rk_sink *sink, char *message, size_t capacity)
{
    zarr_sink *s = (zarr_sink *)sink;
    int status = RASK_OK;
    if (take_name(s)) {
        status = rk_errno_status(errno);
        snprintf(message, capacity, "%s: %s", s->path, strerror(errno));
    }
    if (access(s->folder.path, F_OK) == 0)
        rk_zarr_folder_remove(s->folder.path);
    free_sink(s);
    return status;
}

/* -- Opening */

static bool choose_codec(zarr_sink *s, const rk_sink_form *form, rk_open_error *error)
{
    static const struct {
        const char *name;
        rk_codec codec;
        int usual, most; /* levels */
    } codecs[] = {
        {"zstd", RK_CODEC_ZSTD, 3, 22}, {"gzip", RK_CODEC_GZIP, 5, 9}, {"blosc", RK_CODEC_BLOSC, 5, 9}};
    const char *asked = form->options->compressor ? form->options->compressor : "zstd";
    if (strcmp(asked, "none") == 0)
        return true;
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (strcmp(asked, codecs[i].name) != 0)
            continue;
        s->codec_name = codecs[i].name;
        s->meta.compressed = true;
        s->meta.codec = codecs[i].codec;
        s->packer.level = form->options->level ? form->options->level : codecs[i].usual;
        if (s->packer.level < 1 || s->packer.level > codecs[i].most)
            return rk_open_fail(error, RASK_EINVAL, "%s: levels of %s are 1 to %d", form->path, asked,
                                codecs[i].most);
        s->packer.codecs = rk_codecs_load(form->path, error);
        return s->packer.codecs != NULL;
    }
    return rk_open_fail(error, RASK_EINVAL, "%s: '%s' is no compressor (zstd, gzip, blosc, none)", form->path,
                        asked);
}

/* Chunks as asked for, also where they are longer than the array, in shards of whole chunks. */
static bool choose_shards(zarr_sink *s, const rk_sink_form *form, int version, rk_open_error *error)
{
    const int64_t *chunks = form->options->chunks, *shards = form->options->shards;
    rk_zarr_shards *own = &s->meta.shards;
    if (version != 3 || !chunks)
        return rk_open_fail(error, RASK_EINVAL,
                            "%s: options.shards is for format \"zarr3\", with options.chunks", form->path);
    *own = (rk_zarr_shards){.used = true, .count = 1, .index_sums = 1};
    for (uint32_t i = 0; i < form->ndim; i++) {
        if (chunks[i] < 1 || shards[i] < 1 || shards[i] % chunks[i])
            return rk_open_fail(error, RASK_EINVAL,
                                "%s: options.shards: %" PRId64
                                " elements of axis %u are no whole chunks of %" PRId64,
                                form->path, shards[i], i, chunks[i]);
        if (shards[i] / chunks[i] > RK_ZARR_MAX_SHARD / own->count)
            return rk_open_fail(error, RASK_EINVAL, "%s: options.shards: more than %d chunks", form->path,
                                RK_ZARR_MAX_SHARD);
        own->shape[i] = shards[i];
        own->count *= shards[i] / chunks[i];
        s->meta.chunk[i] = chunks[i];
    }
    memcpy(s->sink.chunk, own->shape, sizeof s->sink.chunk);
    return true;
}

static bool choose_grid(zarr_sink *s, const rk_sink_form *form, int version, rk_open_error *error)
{
    if (form->options->shards)
        return choose_shards(s, form, version, error);
    if (!rk_sink_chunks(form, s->sink.chunk, error))
        return false;
    memcpy(s->meta.chunk, s->sink.chunk, sizeof s->meta.chunk);
    return true;
}

static bool describe(zarr_sink *s, const rk_sink_form *form, int version, rk_open_error *error)
{
    rk_zarr_meta *m = &s->meta;
    rk_sink_describe(&s->sink, form);
    if (!choose_grid(s, form, version, error) || !choose_codec(s, form, error))
        return false;
    m->dtype = form->dtype;
    m->ndim = form->ndim;
    m->prefixed = version == 3;
    m->separator = version == 3 ? '/' : '.';
    memcpy(m->shape, s->sink.shape, sizeof m->shape);
    s->inner = s->sink;
    memcpy(s->inner.chunk, m->chunk, sizeof m->chunk);
    if (rk_shape_bytes(m->dtype, m->ndim, m->chunk, &m->chunk_bytes))
        return rk_open_fail(error, RASK_EINVAL, "%s: options.chunks are too large", form->path);
    s->version = version;
    s->packer = (rk_packer){.sink = &s->inner,
                            .codecs = s->packer.codecs,
                            .codec = m->codec,
                            .level = s->packer.level,
                            .put = put_chunk,
                            .context = s};
    s->sink.scratch = rk_packer_scratch(&s->packer) + (m->shards.used ? shard_scratch(&m->shards) : 0);
    s->sink.write = zarr_write;
    s->sink.commit = zarr_commit;
    s->sink.abort = zarr_abort;
    return true;
}

/* The folder of another name with the document in it. */
static bool make_folder(zarr_sink *s, const char *path, rk_open_error *error)
{
    char text[RK_ZARR_DOCUMENT];
    s->path = rk_path_resolve(path);
    s->packer.path = s->path;
    if (!s->path)
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
    s->claim = rk_claim_path(s->path, error);
    if (!s->claim)
        return false;
    if (!rk_zarr_folder_make(&s->folder, s->path))
        return rk_open_fail_errno(error, path);
    size_t len = rk_zarr_format(&s->meta, s->version, s->codec_name, s->packer.level, text);
    error->status = write_new_file(s, s->version == 2 ? ".zarray" : "zarr.json", text, len, error->message,
                                   sizeof error->message);
    if (error->status)
        rk_zarr_folder_remove(s->folder.path);
    return error->status == RASK_OK;
}

rk_sink *rk_zarr_sink(const rk_sink_form *form, int version, rk_open_error *error)
{
    zarr_sink *s = rk_calloc(1, sizeof *s);
    if (!s)
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", form->path, rask_status_text(RASK_ENOMEM));
    s->folder.lock = -1;
    if (describe(s, form, version, error) && rk_zarr_may_replace(form->path, error) &&
        make_folder(s, form->path, error))
        return &s->sink;
    free_sink(s);
    return NULL;
}
