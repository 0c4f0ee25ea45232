/* Running a graph as the common options say. */
#ifndef RUN_H
#define RUN_H

#include "options.h"

#include <rask/graph.h>

/* Plans target, explains it, runs it, and draws it when all went well. Returns an exit status; what went
 * wrong has been told on stderr. *result is the caller's to unref: none when the run itself failed, the value
 * otherwise, even when the drawing failed. target may be NULL: the graph's error is told. */
int run_graph(const char *command, const common_options *options, rask_graph *graph, rask_node *target,
              rask_value *result);

#endif
