/* What names of expressions mean: NAME=FILE and NAME=NUMBER as arguments. */
#ifndef EVAL_NAMES_H
#define EVAL_NAMES_H

#include <rask/array.h>

typedef struct eval_names {
    rask_graph *graph;
    const char **names;
    rask_operand *operands;
    size_t count;
    char *texts; /* where names stand */
    size_t used;
} eval_names;

/* True for an argument that begins with NAME=, but not with NAME==. */
bool eval_is_binding(const char *argument);

/* For bindings among count arguments; arrays are opened in graph. RASK_ENOMEM; fini is legal after a failure, too. */
int eval_names_init(eval_names *names, rask_graph *graph, int count, char **arguments);
void eval_names_fini(eval_names *names);

/* Adds a binding, and opens its file: RASK_OK, or a status with a message of at most capacity bytes. */
int eval_names_add(eval_names *names, const char *argument, char *message, size_t capacity);

#endif
