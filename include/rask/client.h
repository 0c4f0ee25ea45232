/* rask/client.h: a scheduler that is kept open, and futures: results that come later.
 *
 * A program opens a client, submits nodes as it has them, and reacts to results as they come. What is submitted runs at once,
 * in the background; a graph that is computed as a whole (rask/plan.h) is ordered and fused first, which one task after the
 * other cannot be.
 *
 * All calls are thread-safe unless they say otherwise; a graph is still built by one thread at a time, and rask_submit()
 * counts as building. Futures outlive their graph and their client. Calls take NULL futures, which are submissions for which
 * there was no memory. */
#ifndef RASK_CLIENT_H
#define RASK_CLIENT_H

#include <rask/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rask_client rask_client;
typedef struct rask_future rask_future;

/* Starts the workers. options (NULL: none): scheduler, workers, io_lanes, memory, scratch, limits, retries, seed, what processes
 * take, dashboard, and observers, for whom the client is a run without a plan; timeout, keep_going, progress and report are for runs and
 * mean nothing here. What they point to outlives the client, as do the definitions of tasks.
 *   threads    workers of the client's own
 *   processes  each worker has a process that its calls go to, forked here and anew when it has died: tasks see the program's
 *              memory as it was then. What cannot go to a process that runs already is called
 *              in one forked for it: functions and definitions that are in no module that was loaded then, custom values
 *              without encode() and decode(), and numbers that are addresses of the program's memory
 *   cluster    each call goes to a worker as a run of its own (options.cluster); what is submitted fails where there is no address
 *   serial     what is submitted has run when rask_submit() returns
 * options.memory is for the results of its futures; large ones that do not fit are in a scratch file until they are asked for
 * (docs/futures.md).
 * options.limits, or RASK_LIMITS, count for all that is submitted and what that grows (docs/limits.md); a task that takes what they
 * say nothing of fails with RASK_EINVAL.
 * RASK_EINVAL, RASK_ERANGE, RASK_ENOMEM, RASK_ESYSTEM, and what rask_dashboard_open() returns: *out is untouched. */
RASK_API int rask_client_open(const rask_options *options, rask_client **out);

/* Why the last rask_client_open() of this thread failed; "": it did not. Valid until this thread's next. */
RASK_API const char *rask_client_open_error(void);

/* What waits is cancelled, what runs is asked to end and waited for, the workers go; calls on completion have returned by then.
 * Futures stay what they are. Not within a task of the client, and while nobody submits. NULL is legal. */
RASK_API void rask_client_close(rask_client *client);

/* Until nothing that was submitted is under way, and calls on completion have returned; seconds < 0: as long as it takes. RASK_OK or
 * RASK_ETIMEDOUT. */
RASK_API int rask_client_drain(rask_client *client, double seconds);

/* The node, and all it needs, from now on in the background. What is submitted already is met, not done again: a node of the
 * same graph as long as its result is held, and equal pure calls of any graph (of those that tasks grow, also
 * the last 16,384 that came to numbers, until nothing is under way). A node that could not be built gives a future
 * that has failed with the graph's error. What is met is the same future. The caller unrefs. NULL: there is no memory. Not from
 * tasks in worker processes. */
RASK_API rask_future *rask_submit(rask_client *client, rask_node *node);

typedef struct rask_submission {
    size_t size;      /* sizeof(rask_submission) */
    int32_t priority; /* added to that of the tasks: what is ready goes by it, larger first */
    double
        deadline; /* seconds from now, after which it fails with RASK_ETIMEDOUT, for all who submitted it; 0: none */
} rask_submission;
RASK_API rask_future *rask_submit_with(rask_client *client, rask_node *node, const rask_submission *how);

/* count calls of def, each with one of the inputs (an input that is a list of as many values as def takes is spread, if it says
 * how many: RASK_SLOTS() alone does not); futures gets them, each the caller's to unref. RASK_EINVAL, RASK_ETYPE (an input does
 * not fit), RASK_ENOMEM: none was submitted. */
RASK_API int rask_map(rask_client *client, const rask_task_def *def, const rask_value *inputs, size_t count,
                      rask_future **futures);

/* An endless source through a bounded window: next() gives inputs until it returns false (rask_map() says what an input is; it
 * takes over the value), sink() takes each result, in the order of the inputs or as they complete. At most in_flight inputs
 * are taken and not yet sunk (0: 4 per worker). Both are called by the calling thread. status: RASK_OK, or why there is no
 * result (value is none, message says more); a sink that returns anything but 0 ends the stream with that status: nothing
 * more is taken, what is under way is cancelled.
 * RASK_OK, or the first status that was not. */
typedef struct rask_stream {
    size_t size; /* sizeof(rask_stream) */
    bool (*next)(void *context, rask_value *input);
    int (*sink)(void *context, uint64_t index, int status, const rask_value *value, const char *message);
    void *context;
    size_t in_flight;
    bool as_completed;
} rask_stream;
RASK_API int rask_map_stream(rask_client *client, const rask_task_def *def, const rask_stream *stream);

/* -- Futures */

/* Returns future. */
RASK_API rask_future *rask_future_ref(rask_future *future);
/* What was submitted is done all the same. */
RASK_API void rask_future_unref(rask_future *future);

/* There is a result, or there never will be. */
RASK_API bool rask_future_done(const rask_future *future);

/* Waits until it is done; seconds < 0: as long as it takes. RASK_OK: it is done; RASK_ETIMEDOUT: not yet. Within a task of
 * the client other tasks run meanwhile in this one's place, on its stack: one that is waited for by what runs there would wait for
 * itself, so wait for what this task submitted, or return a node instead (rask/grow.h). */
RASK_API int rask_future_wait(rask_future *future, double seconds);

/* Waits, and gives the result: a reference of the caller's; one that had no room in the memory budget is read from disk. The status,
 * or RASK_EIO and others when it cannot be read; *value is untouched on failure. */
RASK_API int rask_future_result(rask_future *future, rask_value *value);

/* The same, into a C variable as rask_compute_out(). */
RASK_API int rask_future_out(rask_future *future, rask_out_kind kind, void *out);

/* Waits; "" or what went wrong: the task's name and message and the chain of tasks that needed it. Valid as long as the
 * future. */
RASK_API const char *rask_future_error(rask_future *future);

/* Nobody wants it any more, for each rask_submit() that gave it once: it ends with RASK_ECANCELLED, and so does everything that
 * nobody else needs; what waits vanishes, what runs is told by rask_task_cancelled() and is done when it has returned. False: it is
 * done, or others that were submitted need it, for whom it goes on. */
RASK_API bool rask_future_cancel(rask_future *future);

/* call(context, future) once it is done: by the thread that has completed it, with no lock held; in this call when it is
 * done already. RASK_ENOMEM. */
RASK_API int rask_future_on_done(rask_future *future, void (*call)(void *context, rask_future *future),
                                 void *context);

/* Until one, or all, of count futures are done; seconds < 0: as long as it takes. rask_wait_any() gives the number of one that
 * is done, or count when there is none yet; rask_wait_all() RASK_OK or RASK_ETIMEDOUT. */
RASK_API size_t rask_wait_any(rask_future *const *futures, size_t count, double seconds);
RASK_API int rask_wait_all(rask_future *const *futures, size_t count, double seconds);

/* The futures in the order in which they complete. NULL: no memory. Used by one thread at a time. */
typedef struct rask_completion rask_completion;
RASK_API rask_completion *rask_as_completed(rask_future *const *futures, size_t count);
/* The next number; waits for it. count: there are no more. */
RASK_API size_t rask_completion_next(rask_completion *completion);
RASK_API void rask_completion_free(rask_completion *completion);

/* -- Results that stay, and event loops */

/* A node of graph that stands for the result of the future, in graphs that are submitted or computed; it holds the future as
 * long as the graph lives. A task that needs it before it is done waits for it. NULL as builders return it. */
RASK_API rask_node *rask_future_node_at(rask_graph *graph, rask_future *future, const char *file, int line);
#define rask_future_node(graph, future) rask_future_node_at(graph, future, __FILE__, __LINE__)

/* Submits node and gives a node of graph (NULL: node's own) that stands for its result, with node's label: computed once, in the
 * background, and kept as long as the graph lives. */
RASK_API rask_node *rask_persist_at(rask_client *client, rask_node *node, rask_graph *graph, const char *file,
                                    int line);
#define rask_persist(client, node, graph) rask_persist_at(client, node, graph, __FILE__, __LINE__)

/* A descriptor that is readable while rask_client_next() has something to give; it belongs to the client. Each submission from the
 * first call on is remembered when it is done. -1: the system has none. */
RASK_API int rask_client_fd(rask_client *client);

/* The future of the next submission that is done, which is the caller's to unref; NULL: there is none at the moment. */
RASK_API rask_future *rask_client_next(rask_client *client);

#ifdef __cplusplus
}
#endif

#endif
