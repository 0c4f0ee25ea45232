/* Where failures are: a place in the text before the message, "1:7: ". */
#include "collections/array/eval/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Counted from 1, columns in characters. */
static void place(const rk_eval *e, size_t at, size_t *line, size_t *column)
{
    for (; e->caller; e = e->caller)
        at = e->caller->at;
    *line = *column = 1;
    for (size_t i = 0; i < at && i < e->len; i++) {
        if (e->text[i] == '\n') {
            (*line)++;
            *column = 1;
        } else if ((e->text[i] & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}

static void note_told(rk_eval *e)
{
    for (; e; e = e->caller)
        e->told = true;
}

rk_eval_value rk_eval_fail(rk_eval *e, uint32_t at, int status, const char *format, ...)
{
    char message[RK_MAX_MESSAGE];
    size_t line, column;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rk_eval_locate(e, at);
    place(e, at, &line, &column);
    rk_graph_fail(e->graph, status, RK_EVAL_SITE(e), "%zu:%zu: %s", line, column, message);
    note_told(e);
    return (rk_eval_value){.kind = RK_EVAL_FAILED, .at = at};
}

void rk_eval_locate(rk_eval *e, uint32_t at)
{
    char text[RK_MAX_ERROR], where[512] = "";
    size_t line, column;
    rask_graph *graph = e->graph;
    if (e->told || !graph->status)
        return;
    note_told(e);
    if (!graph->message)
        return;
    if (e->file)
        snprintf(where, sizeof where, "%s:%d: ", e->file, e->line);
    size_t skip = strncmp(graph->message, where, strlen(where)) == 0 ? strlen(where) : 0;
    place(e, at, &line, &column);
    pthread_mutex_lock(&graph->lock);
    snprintf(text, sizeof text, "%s%zu:%zu: %s", where, line, column, graph->message + skip);
    rk_free(graph->message);
    graph->message = rk_strndup(text, strlen(text));
    pthread_mutex_unlock(&graph->lock);
}

void *rk_eval_memory(rk_eval *e, size_t size)
{
    void *memory = rk_arena_alloc(&e->memory, size ? size : 1);
    if (!memory)
        rk_eval_fail(e, e->at, RASK_ENOMEM, "%s", rask_status_text(RASK_ENOMEM));
    return memory;
}
