/* rask-graphviz: layout and formats, by libgvc. */
#include "tools/draw/module/graphviz.h"

#include <graphviz/gvc.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* What Graphviz complained about, in the call that is going on. */
static char complaint[256];

/* Keeps the first complaint; the rest is mostly its echo. */
static int keep(char *message)
{
    if (!*complaint) {
        snprintf(complaint, sizeof complaint, "%s", message);
        complaint[strcspn(complaint, "\n")] = '\0';
    }
    return 0;
}

/* One for the life of the process: freeing one unloads plugins that do not survive being loaded again. */
static GVC_t *context(void)
{
    static GVC_t *only;
    if (!only)
        only = gvContext();
    return only;
}

static int failed(int status, const char *what, char *error, size_t capacity)
{
    snprintf(error, capacity, "%s: %s", what, *complaint ? complaint : "Graphviz gives no reason");
    return status;
}

static int render_graph(Agraph_t *graph, const char *format, char **bytes, size_t *len, char *error,
                        size_t capacity)
{
    char *data = NULL;
    unsigned data_len = 0;
    int wrong = gvRenderData(context(), graph, format, &data, &data_len);
    if (wrong || !data || !data_len) {
        gvFreeRenderData(data);
        return failed(RASK_EUNSUPPORTED, "cannot be written in this format", error, capacity);
    }
    *bytes = data;
    *len = data_len;
    return RASK_OK;
}

static int lay_out_and_render(const char *dot, const char *format, char **bytes, size_t *len, char *error,
                              size_t capacity)
{
    int status;
    Agraph_t *graph = context() ? agmemread(dot) : NULL;
    if (!graph) {
        status = failed(RASK_EFORMAT, "cannot be read", error, capacity);
    } else if (gvLayout(context(), graph, "dot")) {
        status = failed(RASK_EUNSUPPORTED, "cannot be laid out", error, capacity);
    } else {
        status = render_graph(graph, format, bytes, len, error, capacity);
        gvFreeLayout(context(), graph);
    }
    if (graph)
        agclose(graph);
    return status;
}

/* In a locale of decimal points: Graphviz reads numbers as the locale writes them. */
static int render(const char *dot, const char *format, char **bytes, size_t *len, char *error,
                  size_t capacity)
{
    *complaint = '\0';
    agusererrf before = agseterrf(keep);
    locale_t mine = uselocale((locale_t)0);
    locale_t points = newlocale(LC_NUMERIC_MASK, "C", duplocale(mine));
    if (points)
        uselocale(points);
    int status = lay_out_and_render(dot, format, bytes, len, error, capacity);
    uselocale(mine);
    if (points)
        freelocale(points);
    agseterrf(before);
    return status;
}

static void release(char *bytes)
{
    gvFreeRenderData(bytes);
}

RASK_API extern const rk_graphviz_module rask_module;
const rk_graphviz_module rask_module = {
    .head = RK_MODULE_HEAD(rk_graphviz_module),
    .render = render,
    .release = release,
};
