#include "collections/text/travel.h"

#include "core/base/alloc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct file_head {
    uint64_t start, size;
    int64_t changed_ns;
    uint32_t compression, stream;
} file_head;

static int put_file(const rk_text_file *file, rk_pack_out *out, rk_open_error *error)
{
    char path[PATH_MAX];
    const file_head h = {file->start, file->size, file->changed_ns, file->compression, file->stream};
    rk_pack_put(out, &h, sizeof h);
    if (file->stream)
        rk_pack_put_text(out, file->path);
    else if (strcmp(file->path, "-") == 0)
        rk_open_fail(error, RASK_EUNSUPPORTED,
                     "standard input cannot be read by other processes: name the file");
    else if (!realpath(file->path, path))
        rk_open_fail_errno(error, file->path);
    else
        rk_pack_put_text(out, path);
    return error->status;
}

int rk_text_files_put(const rk_text_files *files, rk_pack_out *out, rk_open_error *error)
{
    int status = RASK_OK;
    rk_pack_put_u64(out, files->count);
    for (size_t i = 0; i < files->count && !status; i++)
        status = put_file(&files->files[i], out, error);
    return status;
}

static int get_file(rk_pack_in *in, rk_text_file *file)
{
    file_head h;
    const char *at = rk_pack_get(in, sizeof h);
    if (!at || !rk_pack_get_text(in, &file->path))
        return in->failed || !at ? RASK_EFORMAT : RASK_ENOMEM;
    memcpy(&h, at, sizeof h);
    if (!file->path || h.compression > RK_UNKNOWN || h.start > h.size)
        return RASK_EFORMAT;
    file->start = h.start;
    file->size = h.size;
    file->changed_ns = h.changed_ns;
    file->compression = (rk_compression)h.compression;
    file->stream = h.stream != 0;
    return RASK_OK;
}

int rk_text_files_get(rk_pack_in *in, rk_text_files *files)
{
    uint64_t count = rk_pack_get_u64(in);
    int status = RASK_OK;
    *files = (rk_text_files){0};
    if (!count || count > rk_pack_left(in) / sizeof(file_head))
        return RASK_EFORMAT;
    files->files = rk_calloc(count, sizeof *files->files);
    if (!files->files)
        return RASK_ENOMEM;
    while (files->count < count && !status) {
        rk_text_file *file = &files->files[files->count++];
        status = get_file(in, file);
        files->bytes += file->size != RK_TEXT_UNKNOWN_SIZE ? file->size : 0;
    }
    return status;
}

static bool is_same(const rk_text_file *file, rk_open_error *error)
{
    struct stat now;
    if (file->stream)
        return true;
    if (stat(file->path, &now))
        return rk_open_fail_errno(error, file->path) != NULL;
    int64_t changed_ns = (int64_t)now.st_mtim.tv_sec * 1000000000 + now.st_mtim.tv_nsec;
    bool known = file->size != RK_TEXT_UNKNOWN_SIZE;
    if (!known || ((uint64_t)now.st_size == file->size && changed_ns == file->changed_ns))
        return true;
    return rk_open_fail(error, RASK_EIO, "%s: is not the file that the program saw", file->path) != NULL;
}

int rk_text_files_check(const rk_text_files *files, rk_open_error *error)
{
    for (size_t i = 0; i < files->count; i++) {
        if (is_same(&files->files[i], error))
            continue;
        rk_open_error_say_where(error);
        return RASK_EIO;
    }
    return RASK_OK;
}
