/* Results of expressions on standard output. */
#ifndef EVAL_SHOW_H
#define EVAL_SHOW_H

#include "options.h"

#include <rask/array.h>

/* Computes what is printed of the arrays, all in one run, and prints it: as JSON, if asked for, with all elements. Returns
 * an exit status; failures have been told. */
int eval_show(const char *command, const common_options *options, rask_graph *graph,
              rask_array *const *arrays, uint32_t count);

/* Whether only parts of an array are printed. */
bool eval_is_cut(const common_options *options, const rask_array *array);

#endif
