#include "collections/array/files/file.h"
#include "collections/array/files/sink.h"

rk_source *rk_hdf5_open(const char *path, const char *member, rk_open_error *error)
{
    (void)member;
    return rk_open_fail(error, RASK_EUNSUPPORTED, "%s: not yet", path);
}

rk_sink *rk_hdf5_sink(const rk_sink_form *form, rk_open_error *error)
{
    return rk_open_fail(error, RASK_EUNSUPPORTED, "%s: not yet", form->path);
}
