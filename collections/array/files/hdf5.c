/* Datasets of HDF5 files as sources. Elements in one piece are read as those of any file. Of chunks, what libhdf5 has to
 * do alone is little: it finds them and gives their bytes, which are decoded here, by several threads at once; only what
 * is kept in other ways than shuffle and deflate goes through it as a whole. */
#include "collections/array/files/hdf5.h"

#include "collections/array/copy.h"
#include "collections/array/files/codecs.h"
#include "collections/array/files/layout.h"
#include "collections/array/kernels/kernels.h"
#include "collections/array/source.h"
#include "collections/files/file.h"
#include "core/base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BOX_BYTES = 1 << 20 /* read at once from datasets that have neither place nor chunks */ };

typedef struct dataset {
    const rk_hdf5_module *module;
    const rk_codecs_module *codecs; /* NULL: libhdf5 decodes */
    rk_hdf5_data *data;
    rk_hdf5_form form;
    size_t chunk_bytes;
    size_t most;         /* bytes that an encoded chunk may have */
    char *path, *member; /* of the file, and in it; owned. NULL: it has only one */
} dataset;

/* A chunk that is read. */
typedef struct chunk {
    const rk_source *source;
    const dataset *set;
    const int64_t *start, *count;
    char *out;
    char *message;
    size_t capacity;
} chunk;

const rk_hdf5_module *rk_hdf5_load(const char *path, rk_open_error *error)
{
    char reason[512] = "";
    const void *module;
    if (rk_module_open(RK_HDF5_MODULE, sizeof(rk_hdf5_module), &module, reason, sizeof reason) == RASK_OK)
        return module;
    return rk_open_fail(error, RASK_EUNSUPPORTED,
                        "%s: HDF5 needs the module " RK_HDF5_MODULE
                        " of Rask (%s): install the packages libhdf5-103 and " RK_HDF5_MODULE,
                        path, reason);
}

static int fail(const chunk *c, int status, const char *what)
{
    char place[RK_SHAPE_TEXT];
    snprintf(c->message, c->capacity, "%s: the chunk at element %s %s", c->source->path,
             rk_shape_text(c->start, c->set->form.ndim, place), what);
    return status;
}

/* Through libhdf5. */
static int read_box(const chunk *c)
{
    const dataset *s = c->set;
    char reason[400] = "";
    int status = s->module->read(s->data, c->start, c->count, c->out, reason, sizeof reason);
    if (status)
        snprintf(c->message, c->capacity, "%s: %s", c->source->path, reason);
    else
        rk_source_mend(s->form.dtype, s->form.swapped, c->out,
                       rask_dtype_size(s->form.dtype) * (size_t)rk_shape_size(c->count, s->form.ndim));
    return status;
}

/* From a chunk as libhdf5 would have it to the elements asked for. */
static void take(const chunk *c, char *plain)
{
    const rk_hdf5_form *f = &c->set->form;
    int64_t from[RASK_MAX_DIMENSIONS], to[RASK_MAX_DIMENSIONS];
    rk_source_mend(f->dtype, f->swapped, plain, c->set->chunk_bytes);
    rk_file_strides(f->dtype, f->ndim, f->chunk, false, from);
    rk_file_strides(f->dtype, f->ndim, c->count, false, to);
    rk_copy_box(f->ndim, c->count, rask_dtype_size(f->dtype), c->out, to, plain, from);
}

/* plain is the memory of packed, or other memory, as big as a chunk. */
static int decode(const chunk *c, char *packed, size_t len, char *plain)
{
    const dataset *s = c->set;
    const char *reason = "";
    size_t made = len, size = rask_dtype_size(s->form.dtype);
    if (s->form.deflated) {
        int status = s->codecs->decode(RK_CODEC_ZLIB, packed, len, plain, s->chunk_bytes, &made, &reason);
        if (status)
            return fail(c, status, reason);
    } else {
        plain = packed;
    }
    if (made != s->chunk_bytes)
        return fail(c, RASK_EFORMAT, "holds less or more than a chunk");
    if (!s->form.shuffled || size == 1) {
        take(c, plain);
        return RASK_OK;
    }
    char *straight = rk_alloc(s->chunk_bytes);
    if (!straight)
        return fail(c, RASK_ENOMEM, rask_status_text(RASK_ENOMEM));
    rk_gather_2d(size, s->chunk_bytes / size, 1, straight, plain, (int64_t)(s->chunk_bytes / size), 1);
    take(c, straight);
    rk_free(straight);
    return RASK_OK;
}

static int read_encoded(const chunk *c, size_t len)
{
    const dataset *s = c->set;
    char reason[400] = "";
    bool encoded = false;
    char *packed = rk_alloc(len), *plain = s->form.deflated ? rk_alloc(s->chunk_bytes) : packed;
    int status = packed && plain
                     ? s->module->read_chunk(s->data, c->start, packed, &encoded, reason, sizeof reason)
                     : RASK_ENOMEM;
    if (status)
        fail(c, status, status == RASK_ENOMEM ? rask_status_text(status) : reason);
    else if (!encoded)
        status = decode(c, packed, len, plain);
    if (plain != packed)
        rk_free(plain);
    rk_free(packed);
    return encoded ? read_box(c) : status;
}

static int read_chunk(rk_source *source, const int64_t *index, const int64_t *count, void *data,
                      char *message, size_t capacity)
{
    const dataset *s = source->context;
    int64_t start[RASK_MAX_DIMENSIONS];
    chunk c = {source, s, start, count, data, message, capacity};
    for (uint32_t i = 0; i < source->ndim; i++)
        start[i] = index[i] * source->chunk[i];
    uint64_t len = s->codecs || !s->form.deflated ? s->module->chunk_size(s->data, start) : 0;
    if (!len || s->form.encoded)
        return read_box(&c);
    return len > s->most ? fail(&c, RASK_EFORMAT, "is larger than a chunk can be") : read_encoded(&c, len);
}

/* -- Opening */

static void close_dataset(rk_source *source)
{
    char ignored[1];
    dataset *s = source->context;
    s->module->close(s->data, ignored, sizeof ignored);
    rk_free(s->path);
    rk_free(s->member);
    rk_free(s);
}

/* What is wrong with the dataset, or before there was one with the file; returns NULL. */
static void *refuse(const char *path, const rk_hdf5_form *f, int status, const char *what,
                    rk_open_error *error)
{
    return rk_open_fail(error, status, "%s%s%s: %s", path, *f->name ? ":" : "", f->name, what);
}

/* What libhdf5 told must be believed no more than any header. */
static bool check_form(const char *path, const rk_hdf5_form *f, int64_t size, int64_t *chunk_bytes,
                       rk_open_error *error)
{
    int64_t bytes;
    const char *wrong = NULL;
    *chunk_bytes = 0;
    if (rk_shape_bytes(f->dtype, f->ndim, f->shape, &bytes))
        wrong = "it is too large";
    else if (f->offset >= 0 && bytes > size - f->offset)
        wrong = "it ends behind the end of the file";
    else if (rk_shape_bytes(f->dtype, f->ndim, f->chunk, chunk_bytes))
        wrong = "its chunks are too large";
    for (uint32_t i = 0; i < f->ndim; i++)
        if (!wrong && (f->chunk[i] > 0) != (f->chunk[0] > 0))
            wrong = "its chunks are empty";
    if (wrong)
        refuse(path, f, RASK_EFORMAT, wrong, error);
    return !wrong;
}

/* Elements in one piece: they take over fd. */
static void use_file(rk_source *source, const rk_hdf5_form *f, int fd)
{
    source->kind = RK_SOURCE_FILE;
    source->fd = fd;
    source->offset = f->offset;
    source->swapped = f->swapped;
    rk_file_strides(f->dtype, f->ndim, f->shape, false, source->strides);
}

/* A copy with names of its own. */
static dataset *keep(const dataset *set, const char *path, const char *member)
{
    dataset *s = rk_alloc(sizeof *s);
    if (!s)
        return NULL;
    *s = *set;
    s->path = rk_strndup(path, strlen(path));
    s->member = member ? rk_strndup(member, strlen(member)) : NULL;
    if (s->path && (s->member || !member))
        return s;
    rk_free(s->path);
    rk_free(s->member);
    rk_free(s);
    return NULL;
}

/* Chunks of the file, or boxes of a fitting size where it has none. They take over the dataset. */
static bool use_chunks(rk_source *source, const dataset *set, const char *path, const char *member)
{
    int64_t room = BOX_BYTES / (int64_t)rask_dtype_size(source->dtype);
    rk_open_error ignored;
    dataset *s = keep(set, path, member);
    if (!s)
        return false;
    source->context = s;
    source->close = close_dataset;
    source->read_chunk = read_chunk;
    source->format = &rk_format_hdf5;
    for (uint32_t i = source->ndim; i-- > 0;) {
        int64_t length = source->shape[i] ? source->shape[i] : 1;
        source->chunk[i] = s->form.chunk[i] ? s->form.chunk[i] : length < room ? length : room;
        room = room / source->chunk[i] ? room / source->chunk[i] : 1;
    }
    s->form.encoded |= s->chunk_bytes == 0;
    s->most = s->chunk_bytes + s->chunk_bytes / 64 + 4096;
    source->chunk_scratch = s->most + 2 * (s->chunk_bytes ? s->chunk_bytes : BOX_BYTES);
    if (s->form.deflated && !s->form.encoded)
        s->codecs = rk_codecs_load(source->path, &ignored);
    return true;
}

/* What messages call it: "FILE:/MEMBER". */
static rk_source *new_source(const char *path, const char *member, const rk_hdf5_form *f)
{
    char name[600];
    if (!member)
        return rk_source_new(RK_SOURCE_CHUNKED, path, f->dtype, f->ndim, f->shape);
    snprintf(name, sizeof name, "%.350s:%s%.200s", path, *member == '/' ? "" : "/", member);
    return rk_source_new(RK_SOURCE_CHUNKED, name, f->dtype, f->ndim, f->shape);
}

static rk_source *make_source(const char *path, const char *member, int fd, int64_t size, dataset *s,
                              bool *taken, rk_open_error *error)
{
    const rk_hdf5_form *f = &s->form;
    int64_t chunk_bytes;
    if (!check_form(path, f, size, &chunk_bytes, error))
        return NULL;
    s->chunk_bytes = f->ndim && f->chunk[0] ? (size_t)chunk_bytes : 0;
    rk_source *source = new_source(path, member, f);
    *taken = source && f->offset < 0 && use_chunks(source, s, path, member);
    if (source && f->offset >= 0)
        use_file(source, f, fd);
    else if (!*taken) {
        rk_source_unref(source);
        return rk_open_fail(error, RASK_ENOMEM, "%s: %s", path, rask_status_text(RASK_ENOMEM));
    }
    return source;
}

rk_source *rk_hdf5_open(const char *path, const char *member, rk_open_error *error)
{
    char reason[600] = "";
    int64_t size;
    bool taken = false;
    dataset s = {0};
    rk_source *source = NULL;
    int fd = rk_file_open(path, &size, error);
    if (fd < 0)
        return NULL;
    s.module = rk_hdf5_load(path, error);
    if (s.module) {
        int status = s.module->open(path, member, &s.data, &s.form, reason, sizeof reason);
        if (status)
            refuse(path, &s.form, status, reason, error);
        else
            source = make_source(path, member, fd, size, &s, &taken, error);
    }
    if (s.module && s.data && !taken)
        s.module->close(s.data, reason, sizeof reason);
    if (!source || source->fd < 0)
        close(fd);
    return source;
}

/* -- In other processes */

static int put_dataset(const rk_source *source, rk_pack_out *out, rk_open_error *error)
{
    const dataset *s = source->context;
    rk_pack_put_text(out, s->member);
    return rk_file_put_named(out, s->path, error);
}

static rk_source *get_dataset(rk_pack_in *in, const rk_source *like, rk_open_error *error)
{
    (void)like;
    char *member = NULL, *path = NULL;
    rk_source *source = NULL;
    if (!rk_pack_get_text(in, &member))
        return rk_open_fail(error, in->failed ? RASK_EFORMAT : RASK_ENOMEM, "no name of a dataset");
    int fd = rk_file_get(in, &path, error);
    if (fd >= 0) {
        close(fd);
        source = rk_hdf5_open(path, member, error);
    }
    rk_free(path);
    rk_free(member);
    return source;
}

const rk_source_format rk_format_hdf5 = {put_dataset, get_dataset};
