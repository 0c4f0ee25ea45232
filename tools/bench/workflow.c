#include "workflow.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long size = 0;
    if (file && !fseek(file, 0, SEEK_END) && (size = ftell(file)) >= 0 && !fseek(file, 0, SEEK_SET))
        text = calloc(1, (size_t)size + 1);
    if (text && fread(text, 1, (size_t)size, file) != (size_t)size) {
        free(text);
        text = NULL;
    }
    if (file)
        fclose(file);
    return text;
}

typedef struct named {
    const char *name;
    const cJSON *task;
    uint32_t index, place; /* in the file, and in the order */
    bool placed;
} named;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static named *find(named *all, uint32_t count, const char *name)
{
    named key = {.name = name};
    return name ? bsearch(&key, all, count, sizeof *all, by_name) : NULL;
}

static uint64_t written(const cJSON *task)
{
    uint64_t bytes = 0;
    const cJSON *file;
    cJSON_ArrayForEach(file, cJSON_GetObjectItem(task, "files"))
    {
        const char *link = cJSON_GetStringValue(cJSON_GetObjectItem(file, "link"));
        const cJSON *size = cJSON_GetObjectItem(file, "sizeInBytes");
        if (link && !strcmp(link, "output") && cJSON_IsNumber(size) && size->valuedouble > 0)
            bytes += (uint64_t)size->valuedouble;
    }
    return bytes;
}

static bool parents_are_placed(named *all, uint32_t count, const cJSON *task)
{
    const cJSON *parent;
    cJSON_ArrayForEach(parent, cJSON_GetObjectItem(task, "parents"))
    {
        const named *p = find(all, count, cJSON_GetStringValue(parent));
        if (p && !p->placed)
            return false;
    }
    return true;
}

static void place(bench_workflow *w, named *all, named *one)
{
    const cJSON *parent, *seconds = cJSON_GetObjectItem(one->task, "runtimeInSeconds");
    uint64_t edges = w->input_start[w->tasks];
    cJSON_ArrayForEach(parent, cJSON_GetObjectItem(one->task, "parents"))
    {
        const named *p = find(all, one->index, cJSON_GetStringValue(parent));
        if (p)
            w->inputs[edges++] = p->place;
    }
    w->duration_ns[w->tasks] = cJSON_IsNumber(seconds) ? (uint64_t)(seconds->valuedouble * 1e9) : 0;
    w->bytes[w->tasks] = written(one->task);
    one->placed = true;
    one->place = w->tasks++;
    w->input_start[w->tasks] = edges;
}

static uint32_t count_parents(const cJSON *tasks)
{
    uint32_t count = 0;
    const cJSON *task;
    cJSON_ArrayForEach(task, tasks) count +=
        (uint32_t)cJSON_GetArraySize(cJSON_GetObjectItem(task, "parents"));
    return count;
}

/* Rounds over all that are left; workflows are shallow. */
static int order(bench_workflow *w, const cJSON *tasks, named *all)
{
    uint32_t count = (uint32_t)cJSON_GetArraySize(tasks), at = 0;
    const cJSON *task;
    cJSON_ArrayForEach(task, tasks)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(task, "name"));
        all[at++] = (named){.name = name ? name : "", .task = task, .index = count};
    }
    qsort(all, count, sizeof *all, by_name);
    for (uint32_t before = UINT32_MAX; w->tasks < count && w->tasks != before;) {
        before = w->tasks;
        for (uint32_t i = 0; i < count; i++)
            if (!all[i].placed && parents_are_placed(all, count, all[i].task))
                place(w, all, &all[i]);
    }
    return w->tasks == count && count ? 0 : -1;
}

int bench_workflow_read(const char *path, bench_workflow *out)
{
    char *text = read_all(path);
    cJSON *root = text ? cJSON_Parse(text) : NULL;
    const cJSON *tasks = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "workflow"), "tasks");
    uint32_t count = (uint32_t)cJSON_GetArraySize(tasks);
    bench_workflow w = {0};
    named *all = calloc((size_t)count + 1, sizeof *all);
    w.input_start = calloc((size_t)count + 2, sizeof *w.input_start);
    w.inputs = calloc((size_t)count_parents(tasks) + 1, sizeof *w.inputs);
    w.duration_ns = calloc((size_t)count + 1, sizeof *w.duration_ns);
    w.bytes = calloc((size_t)count + 1, sizeof *w.bytes);
    int status = all && w.input_start && w.inputs && w.duration_ns && w.bytes ? order(&w, tasks, all) : -1;
    if (status) {
        fprintf(stderr, "%s: no workflow, or one with a cycle\n", path);
        bench_workflow_free(&w);
    } else {
        *out = w;
    }
    free(all);
    cJSON_Delete(root);
    free(text);
    return status;
}

void bench_workflow_free(bench_workflow *w)
{
    free(w->input_start);
    free(w->inputs);
    free(w->duration_ns);
    free(w->bytes);
    *w = (bench_workflow){0};
}
