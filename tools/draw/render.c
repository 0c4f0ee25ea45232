#include "tools/draw/module/graphviz.h"
#include "tools/draw/output.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = {[RK_DOT] = "dot", [RK_SVG] = "svg", [RK_PNG] = "png", [RK_PDF] = "pdf"};
static const char *const titles[] = {[RK_DOT] = "DOT", [RK_SVG] = "SVG", [RK_PNG] = "PNG", [RK_PDF] = "PDF"};

rk_format rk_format_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    if (!dot)
        return RK_NO_FORMAT;
    for (int f = RK_DOT; f < RK_NO_FORMAT; f++)
        if (!strcasecmp(dot + 1, names[f]))
            return (rk_format)f;
    return RK_NO_FORMAT;
}

/* The module, which is kept once it was found. Called under the lock of drawing. */
static int module_of(rk_format format, const rk_graphviz_module **out, char *error, size_t capacity)
{
    static const rk_graphviz_module *known;
    const void *module;
    char reason[512];
    if (!known) {
        if (rk_module_open(RK_GRAPHVIZ_MODULE, sizeof *known, &module, reason, sizeof reason)) {
            snprintf(
                error, capacity,
                "%s needs the Graphviz module of Rask (%s): install the packages libgvc6 and rask-graphviz, "
                "or build Rask with libgraphviz-dev, or write .dot",
                titles[format], reason);
            return RASK_EUNSUPPORTED;
        }
        known = module;
    }
    *out = known;
    return RASK_OK;
}

int rk_render(const char *dot, rk_format format, rk_rendered *out, char *error, size_t capacity)
{
    const rk_graphviz_module *module;
    int status = module_of(format, &module, error, capacity);
    if (status)
        return status;
    *out = (rk_rendered){.release = module->release};
    return module->render(dot, names[format], &out->bytes, &out->len, error, capacity);
}

void rk_rendered_fini(rk_rendered *rendered)
{
    if (rendered->bytes)
        rendered->release(rendered->bytes);
    *rendered = (rk_rendered){0};
}
