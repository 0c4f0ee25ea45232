/* rask/trace.h: what a run did, for people: a trace that trace viewers open, a profile by the names of tasks, a page
 * for a browser. Each is made of what an observer of its own was told (rask/observe.h); docs/observing.md shows them. */
#ifndef RASK_TRACE_H
#define RASK_TRACE_H

#include <rask/observe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What ran when and where, task by task: the tasks of all runs that it observed one after the other. A run that begins
 * while another one goes on is left out, and counted. */
typedef struct rask_trace rask_trace;

/* Keeps at most so many tasks (0: a million, in 64 MiB), the first ones; later ones are counted. Memory is taken
 * as tasks run. NULL when there is none. */
RASK_API rask_trace *rask_trace_new(uint64_t tasks);
/* Not while a run is observed. NULL is legal. */
RASK_API void rask_trace_free(rask_trace *trace);
/* For rask_options.observers; valid as long as the trace. */
RASK_API const rask_observer *rask_trace_observer(rask_trace *trace);

typedef struct rask_trace_counts {
    uint64_t runs;     /* that ended */
    uint64_t tasks;    /* kept */
    uint64_t dropped;  /* not kept, for there are too many, or no memory */
    uint64_t skipped;  /* never called, and not kept */
    uint64_t moves;    /* of results to disk and back, that are kept */
    uint64_t left_out; /* runs that began while another one went on */
} rask_trace_counts;

/* After the runs. */
RASK_API rask_trace_counts rask_trace_get_counts(const rask_trace *trace);

/* Writes JSON as Chrome, Perfetto (ui.perfetto.dev) and Speedscope read it: a track a worker, with name, label, bytes
 * in and out, attempt and status of each task and how long it waited; memory and disk as counters; results that move as
 * events. Call it after the runs. The file appears whole or not at all. RASK_EINVAL: no trace or path; RASK_EIO: the
 * message in error (may be NULL) says why. */
RASK_API int rask_trace_write(const rask_trace *trace, const char *path, char *error, size_t capacity);

/* Where the time went, by the names of tasks: of all runs that it observed one after the other, as with traces. Its memory
 * does not grow with the number of tasks but for 4 bytes each while a run goes on. */
typedef struct rask_profile rask_profile;

RASK_API rask_profile *rask_profile_new(void);
RASK_API void rask_profile_free(rask_profile *profile);
RASK_API const rask_observer *rask_profile_observer(rask_profile *profile);

/* As a table and a sentence that says what the runs were bound by. Returns the length that the text has or, where that is
 * not less than capacity, would have; as snprintf() does. 0: no run ended. */
RASK_API size_t rask_profile_text(const rask_profile *profile, char *text, size_t capacity);
/* The same as a JSON object, whose members docs/observing.md lists. */
RASK_API size_t rask_profile_json(const rask_profile *profile, char *text, size_t capacity);
/* The JSON and a newline as a file, which appears whole or not at all. RASK_EINVAL: no profile, no path, or no run ended;
 * RASK_ENOMEM, RASK_EIO, as with traces. */
RASK_API int rask_profile_write(const rask_profile *profile, const char *path, char *error, size_t capacity);

/* Writes a page for a browser, one file that loads nothing: the tasks on their workers, memory over time, the profile,
 * and which tasks took from which, by name. title may be NULL. RASK_EINVAL, RASK_ENOMEM, RASK_EIO, as with traces. */
RASK_API int rask_page_write(const rask_trace *trace, const rask_profile *profile, const char *title,
                             const char *path, char *error, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
