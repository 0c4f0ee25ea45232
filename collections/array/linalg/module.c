/* The modules of linear algebra and Fourier transforms: found when something is built that needs them. */
#include "collections/array/linalg/linalg.h"
#include "core/graph/graph.h"

/* Written once, with the address of what is never unloaded; tasks of any thread read it. */
typedef _Atomic(const void *) module_place;

static module_place lapack_place, fftw_place;

static int need(module_place *place, const char *name, size_t size, const char *packages, rask_graph *graph,
                const char *who, const char *file, int line)
{
    char reason[512] = "";
    const void *module;
    if (rk_load_acquire(place))
        return RASK_OK;
    if (rk_module_open(name, size, &module, reason, sizeof reason)) {
        rk_graph_fail(graph, RASK_EUNSUPPORTED, file, line,
                      "%s needs the module %s of Rask (%s): install the packages %s and %s", who, name,
                      reason, packages, name);
        return RASK_EUNSUPPORTED;
    }
    rk_store_release(place, module);
    return RASK_OK;
}

int rk_lapack_need(rask_graph *graph, const char *who, const char *file, int line)
{
    return need(&lapack_place, RK_LAPACK_MODULE, sizeof(rk_lapack_module), "libopenblas0 and liblapacke",
                graph, who, file, line);
}

int rk_fftw_need(rask_graph *graph, const char *who, const char *file, int line)
{
    return need(&fftw_place, RK_FFTW_MODULE, sizeof(rk_fftw_module), "libfftw3-double3, libfftw3-single3",
                graph, who, file, line);
}

const rk_lapack_module *rk_lapack(void)
{
    return rk_load_acquire(&lapack_place);
}

const rk_fftw_module *rk_fftw(void)
{
    return rk_load_acquire(&fftw_place);
}
