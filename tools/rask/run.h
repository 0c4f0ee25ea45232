/* Running a graph as the common options say. */
#ifndef RUN_H
#define RUN_H

#include "options.h"

#include <rask/graph.h>
#include <rask/options.h>

/* Plans target, explains it, and runs it with what the options want to see of it. Returns an exit status; what went
 * wrong has been told on stderr. *result is the caller's to unref: none when the run itself failed, the value
 * otherwise, even when a drawing or trace failed. target may be NULL: the graph's error is told. */
int run_graph(const char *command, const common_options *options, rask_graph *graph, rask_node *target,
              rask_value *result);

/* The same for count targets of one graph, results[i] being that of targets[i]. */
int run_targets(const char *command, const common_options *options, rask_graph *graph,
                rask_node *const *targets, size_t count, rask_value *results);

/* The options for calls of the library, without observers. */
rask_options run_options(const common_options *options);

/* Something that runs: returns a status, and where it has one a message that is valid until the next call. */
typedef int (*run_work)(void *context, const rask_options *options, const char **message);

/* Calls work with the options that the common ones mean: it can be interrupted, it is observed as they want (watch.h),
 * and told of. Returns an exit status; failures have been told. */
int run_observed(const char *command, const common_options *options, run_work work, void *context);

#endif
