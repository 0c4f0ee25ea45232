/* The modules of linear algebra and Fourier transforms: found when something is built that needs them, or in other
 * processes when it runs. */
#include "collections/array/linalg/linalg.h"
#include "core/graph/graph.h"
#include "core/task/task.h"

/* Written once, with the address of what is never unloaded; tasks of any thread read it. */
typedef _Atomic(const void *) module_place;

static module_place lapack_place, fftw_place;

typedef struct wanted {
    module_place *place;
    const char *name;
    size_t size;
    const char *packages;
} wanted;

static const wanted lapack = {&lapack_place, RK_LAPACK_MODULE, sizeof(rk_lapack_module),
                              "libopenblas0 and liblapacke"},
                    fftw = {&fftw_place, RK_FFTW_MODULE, sizeof(rk_fftw_module),
                            "libfftw3-double3, libfftw3-single3"};

/* RASK_OK, or RASK_EUNSUPPORTED with a reason. */
static int load(const wanted *w, char *reason, size_t capacity)
{
    const void *module;
    if (rk_load_acquire(w->place))
        return RASK_OK;
    if (rk_module_open(w->name, w->size, &module, reason, capacity))
        return RASK_EUNSUPPORTED;
    rk_store_release(w->place, module);
    return RASK_OK;
}

static int need(const wanted *w, rask_graph *graph, const char *who, const char *file, int line)
{
    char reason[512] = "";
    int status = load(w, reason, sizeof reason);
    if (status)
        rk_graph_fail(graph, status, file, line,
                      "%s needs the module %s of Rask (%s): install the packages %s and %s", who, w->name,
                      reason, w->packages, w->name);
    return status;
}

static int load_for_task(const wanted *w, rask_task *task)
{
    char reason[512] = "";
    int status = load(w, reason, sizeof reason);
    return status ? rk_task_fail(task, status,
                                 "the module %s of Rask is needed (%s): install the packages %s and %s",
                                 w->name, reason, w->packages, w->name)
                  : RASK_OK;
}

int rk_lapack_need(rask_graph *graph, const char *who, const char *file, int line)
{
    return need(&lapack, graph, who, file, line);
}

int rk_fftw_need(rask_graph *graph, const char *who, const char *file, int line)
{
    return need(&fftw, graph, who, file, line);
}

int rk_lapack_load(rask_task *task)
{
    return load_for_task(&lapack, task);
}

int rk_fftw_load(rask_task *task)
{
    return load_for_task(&fftw, task);
}

const rk_lapack_module *rk_lapack(void)
{
    return rk_load_acquire(&lapack_place);
}

const rk_fftw_module *rk_fftw(void)
{
    return rk_load_acquire(&fftw_place);
}
