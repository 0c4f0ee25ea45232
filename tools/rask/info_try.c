#include "info_try.h"

#include <rask/array.h>
#include <rask/arrow.h>
#include <rask/cluster.h>
#include <rask/draw.h>
#include <rask/sugar.h>
#include <rask/table.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLDER = 200, PATH = 256 };

#ifndef RASK_INFO_MPI
#    define RASK_INFO_MPI ""
#endif

/* Each tells whether it could; path is that of a file to be, which is removed if it is there then. */

/* A graph of one node, since only drawing shows whether Graphviz' own parts are all there. */
static bool draw(const char *path)
{
    rask_graph *graph = rask_graph_new();
    int status = rask_draw(rask_const(graph, (int64_t)1), path, NULL);
    rask_graph_free(graph);
    return status == RASK_OK;
}

/* An array of one number. */
static bool store(const char *path)
{
    rask_graph *graph = rask_graph_new();
    double one = 1;
    rask_block block = {.dtype = RASK_DT_F64, .data = &one};
    rask_store_target target = {.array = rask_array_from_block(graph, &block, false), .path = path};
    int status = rask_array_store(&target, 1, NULL);
    rask_graph_free(graph);
    return status == RASK_OK;
}

static bool store_zarr(const char *path)
{
    static const char *const made[] = {"/.zarray", "/0"};
    char inside[PATH + 16];
    bool could = store(path);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        snprintf(inside, sizeof inside, "%s%s", path, made[i]);
        remove(inside);
    }
    return could;
}

static bool evaluates(const char *expression)
{
    rask_graph *graph = rask_graph_new();
    bool could = rask_eval(graph, expression, NULL, NULL, 0) != NULL;
    rask_graph_free(graph);
    return could;
}

static bool linear_algebra(const char *path)
{
    (void)path;
    return evaluates("linalg.qr(ones((2, 2)))[0]");
}

static bool transform(const char *path)
{
    (void)path;
    return evaluates("fft.fft(ones(4))");
}

/* A table of one column and one row, "a" and 1, as text compressed by each. */
static const struct {
    const char *name;
    size_t len;
    unsigned char bytes[64];
} compressed[] = {
    {"gzip", 24, {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4b, 0xe4,
                  0x32, 0xe4, 0x02, 0x00, 0x00, 0x24, 0xc1, 0x89, 0x04, 0x00, 0x00, 0x00}},
    {"zstd",
     17,
     {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x04, 0x21, 0x00, 0x00, 0x61, 0x0a, 0x31, 0x0a, 0x75, 0x1c, 0xc3, 0x01}},
    {"xz", 60, {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21,
                0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0x01, 0x00, 0x03, 0x61, 0x0a, 0x31,
                0x0a, 0x00, 0xa5, 0x95, 0xdb, 0xc3, 0xb7, 0xbe, 0xa3, 0xf0, 0x00, 0x01, 0x1c, 0x04, 0x6f,
                0x2c, 0x9c, 0xc1, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a}},
    {"bzip2", 43, {0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x1f, 0x79, 0xe9, 0x9e, 0x00,
                   0x00, 0x01, 0xc9, 0x00, 0x00, 0x10, 0x20, 0x00, 0x20, 0x00, 0x20, 0x00, 0x30, 0xcc, 0x0c,
                   0x7a, 0x82, 0x71, 0x77, 0x24, 0x53, 0x85, 0x09, 0x01, 0xf7, 0x9e, 0x99, 0xe0}},
};

static bool write_bytes(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wbe");
    bool could = file && fwrite(bytes, len, 1, file) == 1;
    if (file && fclose(file))
        could = false;
    return could;
}

/* A table of the kind that the path ends in. */
static bool decompress(const char *path)
{
    const char *kind = strrchr(path, '.') + 1;
    size_t i = 0;
    while (strcmp(compressed[i].name, kind) != 0)
        i++;
    rask_graph *graph = rask_graph_new();
    bool could =
        write_bytes(path, compressed[i].bytes, compressed[i].len) && rask_read_csv(graph, path, NULL);
    rask_graph_free(graph);
    return could;
}

static bool pack(const char *path)
{
    const rask_column column = {.name = "a", .type = RASK_COL_I64, .as.i64 = &(int64_t){1}};
    rask_graph *graph = rask_graph_new();
    bool could = rask_table_write(rask_table_from_columns(graph, &column, 1, 1), path, RASK_TABLE_ARROW_ZSTD,
                                  NULL) == RASK_OK &&
                 rask_read_arrow(graph, path);
    rask_graph_free(graph);
    return could;
}

static bool match(const char *path)
{
    rask_graph *graph = rask_graph_new();
    bool could = write_bytes(path, "a\nx\n", 4) &&
                 rask_table_filter(rask_read_csv(graph, path, NULL), "matches(a, 'x')");
    rask_graph_free(graph);
    return could;
}

static bool make_keys(const char *path)
{
    char unread[256];
    return rask_cluster_make_keys(path, unread, sizeof unread) == RASK_OK;
}

/* These are not tried: to load an MPI is to be started by it. */
static bool has_openmpi(const char *path)
{
    (void)path;
    return strstr(RASK_INFO_MPI, "openmpi") != NULL;
}

static bool has_mpich(const char *path)
{
    (void)path;
    return strstr(RASK_INFO_MPI, "mpich") != NULL;
}

typedef struct trial {
    const char *group, *name, *module;
    bool (*can)(const char *path); /* NULL: always */
    bool anywhere;                 /* it looks at no path */
} trial;

static const trial trials[] = {
    {"drawing", "dot", NULL, NULL, false},
    {"drawing", "svg", "rask-graphviz", draw, false},
    {"drawing", "png", "rask-graphviz", draw, false},
    {"drawing", "pdf", "rask-graphviz", draw, false},
    {"arrays", "npy", NULL, NULL, false},
    {"arrays", "npz", NULL, NULL, false},
    {"arrays", "raw", NULL, NULL, false},
    {"arrays", "zarr", "rask-codecs", store_zarr, false},
    {"arrays", "h5", "rask-hdf5", store, false},
    {"arrays", "linalg", "rask-lapack", linear_algebra, true},
    {"arrays", "fft", "rask-fftw", transform, true},
    {"tables", "csv", NULL, NULL, false},
    {"tables", "arrow", NULL, NULL, false},
    {"tables", "packed-arrow", "rask-arrow", pack, false},
    {"text", "plain", NULL, NULL, false},
    {"text", "gzip", "rask-decompress", decompress, false},
    {"text", "zstd", "rask-decompress", decompress, false},
    {"text", "xz", "rask-decompress", decompress, false},
    {"text", "bzip2", "rask-decompress", decompress, false},
    {"text", "patterns", "rask-pcre2", match, false},
    {"clusters", "zmq", "rask-transport-zmq", make_keys, false},
    {"clusters", "openmpi", "rask-transport-openmpi", has_openmpi, true},
    {"clusters", "mpich", "rask-transport-mpich", has_mpich, true},
};
enum { TRIALS = sizeof trials / sizeof *trials };
_Static_assert((int)TRIALS <= (int)INFO_FEATURES_MOST, "room for all");

static bool make_folder(char folder[FOLDER])
{
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, FOLDER, "%s/rask-info-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    return mkdtemp(folder) != NULL;
}

static info_outcome try_one(const trial *t, const char *folder)
{
    char path[PATH];
    if (!t->can)
        return INFO_THERE;
    if (!folder && !t->anywhere)
        return INFO_NOT_TRIED;
    snprintf(path, sizeof path, "%s/one.%s", folder ? folder : "", t->name);
    bool could = t->can(path);
    if (folder)
        remove(path);
    return could ? INFO_THERE : INFO_MISSING;
}

/* What is tried is tried in this process, whatever a run would use: on a cluster each would wait for workers. */
static void forget_environment(void)
{
    static const char *const variables[] = {"RASK_CLUSTER", "RASK_CHECKPOINT", "RASK_LIMITS",
                                            "RASK_WORKER_OF"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("RASK_SCHEDULER", "threads", 1);
}

/* Changes the environment. */
size_t info_try(info_feature features[INFO_FEATURES_MOST])
{
    char folder[FOLDER];
    forget_environment();
    bool made = make_folder(folder);
    for (size_t i = 0; i < TRIALS; i++)
        features[i] = (info_feature){.group = trials[i].group,
                                     .name = trials[i].name,
                                     .module = trials[i].module,
                                     .outcome = try_one(&trials[i], made ? folder : NULL)};
    if (made)
        rmdir(folder);
    return TRIALS;
}
