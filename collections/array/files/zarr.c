/* Zarr stores as sources. */
#include "collections/array/files/zarr.h"

#include "collections/array/copy.h"
#include "collections/array/files/codecs.h"
#include "collections/array/files/layout.h"
#include "collections/array/source.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_SHOWN = 300 /* characters of a list of members in a message */ };

typedef struct store {
    rk_zarr_meta meta;
    const rk_codecs_module *codecs;       /* NULL: not compressed */
    int64_t strides[RASK_MAX_DIMENSIONS]; /* of a decoded chunk, in bytes */
    bool in_order;                        /* a decoded chunk is in C order */
    size_t most;                          /* bytes that the file of a chunk may have */
    rk_zarr_checked checked;              /* shards */
} store;

/* A chunk that is read. */
typedef struct chunk {
    rk_source *source;
    const store *store;
    const char *path;
    const int64_t *count;
    void *data;
    char *message;
    size_t capacity;
} chunk;

static int fail(const chunk *c, int status, const char *what)
{
    snprintf(c->message, c->capacity, "%s: %s", c->path, what);
    return status;
}

static int fail_errno(const chunk *c)
{
    int number = errno;
    return fail(c, rk_errno_status(number), strerror(number));
}

/* -- Chunks */

/* A chunk without a file, as long as the store has not been taken away altogether. */
static int fill_missing(const chunk *c)
{
    static const unsigned char zeros[16];
    const unsigned char *fill = c->store->meta.fill;
    size_t size = rask_dtype_size(c->source->dtype);
    size_t n = (size_t)rk_shape_size(c->count, c->source->ndim);
    if (access(c->source->path, F_OK))
        return fail_errno(c);
    if (memcmp(fill, zeros, size) == 0)
        memset(c->data, 0, n * size);
    else
        for (size_t i = 0; i < n; i++)
            memcpy((char *)c->data + i * size, fill, size);
    return RASK_OK;
}

/* A chunk as it is, from offset on, is read as any other file. */
static int read_plain(const chunk *c, int fd, int64_t offset)
{
    static const int64_t start[RASK_MAX_DIMENSIONS];
    const store *s = c->store;
    rk_source file = {.kind = RK_SOURCE_FILE,
                      .dtype = c->source->dtype,
                      .ndim = c->source->ndim,
                      .fd = fd,
                      .offset = offset,
                      .swapped = s->meta.swapped,
                      .path = (char *)c->path};
    int64_t strides[RASK_MAX_DIMENSIONS];
    memcpy(file.shape, s->meta.chunk, sizeof file.shape);
    memcpy(file.strides, s->strides, sizeof file.strides);
    rk_file_strides(file.dtype, file.ndim, c->count, false, strides);
    return rk_source_read(&file, start, c->count, c->data, strides, c->message, c->capacity);
}

/* Takes checksums from the end of len bytes. */
static int check_sums(const chunk *c, uint32_t sums, const unsigned char *data, size_t *len)
{
    for (; sums > 0; sums--) {
        if (*len < RK_ZARR_SUM)
            return fail(c, RASK_EFORMAT, "is too short for its checksum");
        *len -= RK_ZARR_SUM;
        const unsigned char *sum = data + *len;
        uint32_t stored = sum[0] | (uint32_t)sum[1] << 8 | (uint32_t)sum[2] << 16 | (uint32_t)sum[3] << 24;
        if (stored != rk_crc32c(data, *len))
            return fail(c, RASK_EFORMAT, "its checksum does not fit its content");
    }
    return RASK_OK;
}

/* From the bytes of the file to those of a chunk, into plain, which has room for them and their checksums. */
static int decode(const chunk *c, const unsigned char *packed, size_t len, unsigned char *plain)
{
    const rk_zarr_meta *m = &c->store->meta;
    size_t room = (size_t)m->chunk_bytes + m->inner_sums * RK_ZARR_SUM;
    const char *reason = "";
    int status = check_sums(c, m->outer_sums, packed, &len);
    if (!status && m->compressed) {
        status = c->store->codecs->decode(m->codec, packed, len, plain, room, &len, &reason);
        if (status)
            return fail(c, status, reason);
    } else if (!status) {
        memcpy(plain, packed, len < room ? len : room);
    }
    if (!status && len != room)
        return fail(c, RASK_EFORMAT, "holds less or more than a chunk");
    return status ? status : check_sums(c, m->inner_sums, plain, &len);
}

/* Whether the elements asked for are a whole chunk, as it is decoded. */
static bool is_whole(const chunk *c)
{
    const store *s = c->store;
    return s->in_order && !s->meta.inner_sums &&
           memcmp(c->count, s->meta.chunk, s->meta.ndim * sizeof *c->count) == 0;
}

static int decode_into(const chunk *c, const unsigned char *packed, size_t len, unsigned char *plain)
{
    const rk_zarr_meta *m = &c->store->meta;
    int64_t strides[RASK_MAX_DIMENSIONS];
    int status = decode(c, packed, len, plain);
    if (status)
        return status;
    rk_source_mend(m->dtype, m->swapped, plain, (size_t)m->chunk_bytes);
    if (plain == c->data)
        return RASK_OK;
    rk_file_strides(m->dtype, m->ndim, c->count, false, strides);
    rk_copy_box(m->ndim, c->count, rask_dtype_size(m->dtype), c->data, strides, plain, c->store->strides);
    return RASK_OK;
}

/* The chunk is the part of the file. */
static int read_packed(const chunk *c, int fd, const rk_zarr_part *part)
{
    const store *s = c->store;
    if (part->len > s->most)
        return fail(c, RASK_EFORMAT, "is larger than a chunk can be");
    size_t room = is_whole(c) ? 0 : (size_t)s->meta.chunk_bytes + s->meta.inner_sums * RK_ZARR_SUM;
    unsigned char *packed = rk_alloc(part->len + 1), *plain = room ? rk_alloc(room) : c->data;
    int64_t got = packed && plain ? rk_file_read(fd, packed, part->len, part->offset) : 0;
    int status = !packed || !plain ? fail(c, RASK_ENOMEM, rask_status_text(RASK_ENOMEM))
                 : got < 0         ? fail_errno(c)
                                   : decode_into(c, packed, (size_t)got, plain);
    rk_free(packed);
    if (room)
        rk_free(plain);
    return status;
}

static int read_part(const chunk *c, int fd, const rk_zarr_part *part)
{
    const rk_zarr_meta *m = &c->store->meta;
    if (m->compressed || m->inner_sums)
        return read_packed(c, fd, part);
    return part->len == (uint64_t)m->chunk_bytes ? read_plain(c, fd, part->offset)
                                                 : fail(c, RASK_EFORMAT, "holds less or more than a chunk");
}

/* Out of a file of size bytes: all of it, or the part that its index gives. */
static int read_file(const chunk *c, const int64_t *shard, int64_t number, int fd, int64_t size)
{
    store *s = c->source->context;
    struct stat file;
    const char *reason;
    rk_zarr_part part = {0, (size_t)size};
    if (fstat(fd, &file))
        return fail_errno(c);
    if (!S_ISREG(file.st_mode))
        return fail(c, RASK_EFORMAT, "is no file");
    if (!s->meta.shards.used)
        return read_part(c, fd, &part);
    int status = rk_zarr_shard_find(&s->meta, &s->checked, shard, number, fd, size, &part, &reason);
    if (status)
        return fail(c, status, reason);
    return part.len ? read_part(c, fd, &part) : fill_missing(c);
}

static int read_chunk(rk_source *source, const int64_t *index, const int64_t *count, void *data,
                      char *message, size_t capacity)
{
    const store *s = source->context;
    char key[RK_ZARR_MAX_KEY], path[RK_ZARR_MAX_KEY + 4096];
    rk_open_error error;
    int64_t size, shard[RASK_MAX_DIMENSIONS], number = 0;
    chunk c = {source, s, path, count, data, message, capacity};
    if (s->meta.shards.used)
        number = rk_zarr_shard_of(&s->meta, index, shard);
    rk_zarr_key(&s->meta, s->meta.shards.used ? shard : index, key);
    snprintf(path, sizeof path, "%s/%s", source->path, key);
    int fd = rk_file_open(path, &size, &error);
    if (fd < 0 && error.status == RASK_ENOENT)
        return fill_missing(&c);
    if (fd < 0) {
        snprintf(message, capacity, "%s", error.message);
        return error.status;
    }
    int status = read_file(&c, shard, number, fd, size);
    close(fd);
    return status;
}

/* -- Opening */

static void close_store(rk_source *source)
{
    rk_free(source->context);
}

static rk_source *new_source(const char *folder, const rk_zarr_meta *meta, rk_open_error *error)
{
    rk_source *source = rk_source_new(RK_SOURCE_CHUNKED, folder, meta->dtype, meta->ndim, meta->shape);
    store *s = rk_calloc(1, sizeof *s);
    if (!source || !s) {
        rk_source_unref(source);
        rk_free(s);
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", folder, rask_status_text(RASK_ENOMEM));
    }
    source->context = s;
    source->close = close_store;
    source->read_chunk = read_chunk;
    source->format = &rk_format_zarr;
    memcpy(source->chunk, meta->chunk, sizeof source->chunk);
    s->meta = *meta;
    return source;
}

/* How decoded chunks lie in memory, and what reading one takes. */
static void describe(rk_source *source, store *s)
{
    const rk_zarr_meta *m = &s->meta;
    int64_t stride = (int64_t)rask_dtype_size(m->dtype);
    size_t sums = (m->inner_sums + m->outer_sums) * RK_ZARR_SUM, plain = (size_t)m->chunk_bytes;
    s->in_order = true;
    for (uint32_t i = m->ndim; i-- > 0; stride *= m->chunk[m->order[i]]) {
        s->strides[m->order[i]] = stride;
        s->in_order &= m->order[i] == i;
    }
    s->most = plain + plain / 64 + 4096 + sums; /* what does not shrink grows by less than that */
    source->chunk_scratch = (m->compressed || sums ? s->most + plain + sums : RK_READ_SCRATCH) +
                            (m->shards.used ? rk_zarr_index_bytes(&m->shards) : 0);
}

static rk_source *open_array(const char *folder, const rk_zarr_meta *meta, rk_open_error *error)
{
    rk_source *source = new_source(folder, meta, error);
    if (!source)
        return NULL;
    store *s = source->context;
    describe(source, s);
    if (!meta->compressed || (s->codecs = rk_codecs_load(folder, error)))
        return source;
    rk_source_unref(source);
    return NULL;
}

static bool has_file(const char *folder, const char *name)
{
    char *path = rk_path_join(folder, name);
    bool there = path && access(path, F_OK) == 0;
    rk_free(path);
    return there;
}

/* Names the members of a group, which was given without one. */
static rk_source *fail_group(const char *folder, rk_open_error *error)
{
    char names[NAMES_SHOWN] = "";
    size_t used = 0;
    DIR *open = opendir(folder);
    for (struct dirent *e; open && (e = readdir(open));) {
        char *member = e->d_name[0] == '.' ? NULL : rk_path_join(folder, e->d_name);
        if (member &&
            (has_file(member, ".zarray") || has_file(member, "zarr.json") || has_file(member, ".zgroup")) &&
            used + strlen(e->d_name) + 3 < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", e->d_name);
        rk_free(member);
    }
    if (open)
        closedir(open);
    return rk_open_fail(error, RASK_EINVAL, "%s: is a group%s%s: which array of it is to be named", folder,
                        used ? " that holds " : "", names);
}

static rk_source *open_document(const char *folder, const char *name,
                                int (*parse)(const char *, size_t, rk_zarr_meta *, char *, size_t),
                                rk_open_error *error)
{
    size_t len;
    rk_zarr_meta meta;
    char reason[400] = "", *path = rk_path_join(folder, name);
    char *text = path ? rk_file_load(path, RK_ZARR_MAX_JSON, &len, error) : NULL;
    int status = text ? parse(text, len, &meta, reason, sizeof reason) : RASK_OK;
    if (!path)
        rk_open_fail(error, RASK_ENOMEM, "%s: %s", folder, rask_status_text(RASK_ENOMEM));
    else if (text && status == RASK_ETYPE)
        fail_group(folder, error);
    else if (text && status)
        rk_open_fail(error, status, "%s: %s", path, reason);
    rk_free(text);
    rk_free(path);
    return text && !status ? open_array(folder, &meta, error) : NULL;
}

static rk_source *open_folder(const char *folder, rk_open_error *error)
{
    struct stat file;
    if (stat(folder, &file))
        return rk_open_fail_errno(error, folder);
    if (!S_ISDIR(file.st_mode))
        return rk_open_fail(error, RASK_EFORMAT, "%s: a Zarr store is a folder", folder);
    if (has_file(folder, ".zarray"))
        return open_document(folder, ".zarray", rk_zarr_parse_v2, error);
    if (has_file(folder, "zarr.json"))
        return open_document(folder, "zarr.json", rk_zarr_parse_v3, error);
    if (has_file(folder, ".zgroup"))
        return fail_group(folder, error);
    return rk_open_fail(error, RASK_EFORMAT,
                        "%s: holds no .zarray, .zgroup or zarr.json: it is no Zarr store", folder);
}

/* Members lie inside of the store: no way leads up. */
static bool is_inside(const char *member)
{
    for (const char *at = member; *at;) {
        size_t len = strcspn(at, "/");
        if (!len || (len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        at += len + (at[len] == '/');
    }
    return *member != '\0';
}

rk_source *rk_zarr_open(const char *path, const char *member, rk_open_error *error)
{
    if (!member || !*member || strcmp(member, "/") == 0)
        return open_folder(path, error);
    member += *member == '/';
    if (!is_inside(member))
        return rk_open_fail(error, RASK_EINVAL, "%s: '%s' is no path of a member", path, member);
    char *folder = rk_path_join(path, member);
    if (!folder)
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
    rk_source *source = open_folder(folder, error);
    rk_free(folder);
    return source;
}

/* -- In other processes */

static const char *const documents[] = {".zarray", "zarr.json"};

/* What describes the array; chunks are not looked at. */
static int put_store(const rk_source *source, rk_pack_out *out, rk_open_error *error)
{
    uint8_t which = has_file(source->path, documents[0]) ? 0 : 1;
    char *path = rk_path_join(source->path, documents[which]);
    rk_pack_put_u8(out, which);
    if (!path)
        rk_open_fail(error, RASK_ENOMEM, "%s: %s", source->path, rask_status_text(RASK_ENOMEM));
    int status = path ? rk_file_put_named(out, path, error) : RASK_ENOMEM;
    rk_free(path);
    return status;
}

static rk_source *get_store(rk_pack_in *in, const rk_source *like, rk_open_error *error)
{
    (void)like;
    char *path = NULL;
    uint8_t which = rk_pack_get_u8(in);
    int fd = rk_file_get(in, &path, error);
    if (fd < 0)
        return NULL;
    close(fd);
    if (which >= sizeof documents / sizeof *documents || !rk_path_ends(path, documents[which]))
        in->failed = true;
    path[strlen(path) - (in->failed ? 0 : strlen(documents[which]) + 1)] = '\0';
    rk_source *source = in->failed ? rk_open_fail(error, RASK_EFORMAT, "%s: is no part of a Zarr store", path)
                                   : open_folder(path, error);
    rk_free(path);
    return source;
}

const rk_source_format rk_format_zarr = {put_store, get_store};
