/* rask_text_open(): which files, which lines. */
#include "collections/runs/own.h"
#include "collections/search/search.h"
#include "core/base/alloc.h"

#include <string.h>

static void free_text(void *what)
{
    rask_text *text = what;
    if (!text)
        return;
    rk_text_files_fini(&text->files);
    rk_matcher_free(text->matcher);
    rk_free(text->scratch);
    rk_free(text->pattern);
    rk_free(text);
}

static rask_text *fail(rask_graph *graph, int status, const char *file, int line, const char *message)
{
    rk_graph_fail(graph, status, file, line, "rask_text_open: %s", message);
    return NULL;
}

/* What the run will have. */
static int take_limits(rask_text *text, const rask_text_options *options)
{
    rask_options given = RASK_OPTIONS_INIT, all;
    given.workers = options->workers;
    given.memory = options->memory;
    given.scratch = options->scratch;
    given.scheduler = options->scheduler;
    given.checkpoint = options->checkpoint;
    int status = rask_options_effective(&given, &all);
    if (status)
        return status;
    text->scratch = rk_strndup(all.scratch, strlen(all.scratch));
    if (!text->scratch)
        return RASK_ENOMEM;
    text->workers = all.workers;
    text->apart = all.checkpoint || !rask_scheduler_shares_memory(all.scheduler);
    text->hash_seed = rk_draw_seed(options->seed, all.checkpoint);
    text->memory = all.memory ? all.memory : rask_default_memory();
    return RASK_OK;
}

static int take_pattern(rask_text *text, const rask_text_options *options, rk_text_error *error)
{
    text->fixed = options->fixed;
    text->ignore_case = options->ignore_case;
    text->pattern = rk_strndup(options->pattern, strlen(options->pattern));
    if (!text->pattern)
        return rk_text_fail(error, RASK_ENOMEM, "options", "%s", rask_status_text(RASK_ENOMEM));
    return rk_matcher_new(text->pattern, text->fixed, text->ignore_case, &text->matcher, error->message,
                          sizeof error->message);
}

rask_text *rask_text_open_at(rask_graph *graph, const char *const *paths, size_t count,
                             const rask_text_options *options, const char *file, int line)
{
    const rask_text_options defaults = RASK_TEXT_OPTIONS_INIT;
    rk_text_error error = {0};
    if (!graph || graph->status)
        return NULL;
    options = options ? options : &defaults;
    if (options->size != sizeof defaults)
        return fail(graph, RASK_EINVAL, file, line, "options.size is not set");
    rask_text *text = rk_calloc(1, sizeof *text);
    if (!text)
        return fail(graph, RASK_ENOMEM, file, line, rask_status_text(RASK_ENOMEM));
    text->graph = graph;
    text->inverted = options->inverted;
    text->block_bytes = options->block_bytes;
    text->seed = options->seed;
    int status = take_limits(text, options);
    if (status)
        rk_text_fail(&error, status, "options", "%s", rask_status_text(status));
    else
        status = rk_text_files_init(&text->files, paths, count, &error);
    if (!status && options->pattern)
        status = take_pattern(text, options, &error);
    if (!status && rk_graph_at_end(graph, free_text, text))
        status = rk_text_fail_memory(&error, text->files.files[0].path);
    if (!status)
        return text;
    free_text(text);
    return fail(graph, status, file, line, error.message);
}
