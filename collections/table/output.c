#include "collections/table/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int rk_output_open(rk_output *o, const char *path)
{
    rk_open_error error = {0};
    *o = (rk_output){.path = path, .standard = strcmp(path, "-") == 0, .file = {.fd = -1}};
    if (o->standard || (rk_path_is_plain(path, &error) && rk_temporary_open(&o->file, path, false, &error)))
        return RASK_OK;
    snprintf(o->message, sizeof o->message, "%s", error.message);
    return error.status;
}

static int fail(rk_output *o)
{
    int number = errno;
    snprintf(o->message, sizeof o->message, "%s: %s", o->standard ? "standard output" : o->path,
             strerror(number));
    return rk_errno_status(number);
}

int rk_output_append(rk_output *o, const void *data, size_t len)
{
    int failed = o->standard ? rk_standard_write(data, len) : rk_file_write(o->file.fd, data, len, o->end);
    o->end += (int64_t)len;
    return failed ? fail(o) : RASK_OK;
}

int rk_output_replace(rk_output *o, const void *data, size_t len, int64_t place)
{
    return rk_file_write(o->file.fd, data, len, place) ? fail(o) : RASK_OK;
}

int rk_output_restart(rk_output *o)
{
    o->end = 0;
    return ftruncate(o->file.fd, 0) ? fail(o) : RASK_OK;
}

int rk_output_commit(rk_output *o)
{
    return o->standard ? RASK_OK : rk_temporary_commit(&o->file, o->message, sizeof o->message);
}

void rk_output_end(rk_output *o)
{
    rk_temporary_abort(&o->file);
}
