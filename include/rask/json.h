/* rask/json.h: graphs of named functions and constants as JSON. The format is in docs/graph-json.md. */
#ifndef RASK_JSON_H
#define RASK_JSON_H

#include <rask/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Functions by name, for reading graphs. Not thread-safe while being added to. */
typedef struct rask_registry rask_registry;

/* With the built-in functions (sum, min, max, concat, list, item). NULL when there is no memory. */
RASK_API rask_registry *rask_registry_new(void);
RASK_API void rask_registry_free(rask_registry *registry);
/* def must outlive the registry and every graph read with it. RASK_EEXIST: the name is taken; RASK_EINVAL: no
 * name or function; RASK_ENOMEM. */
RASK_API int rask_registry_add(rask_registry *registry, const rask_task_def *def);
/* NULL when there is none. */
RASK_API const rask_task_def *rask_registry_find(const rask_registry *registry, const char *name);

/* Reads a graph into a new one. registry may be NULL: no function is known. With unknown_as_stub, functions
 * that are not registered become calls that fail when run: enough to draw the graph. *targets is an array of
 * *count nodes (those named by "targets", else those nothing needs) that belongs to the graph.
 * On failure *graph is NULL, and the message is in error (at most capacity bytes with the NUL; may be NULL):
 * "line:column: path: what is wrong". Input is taken as hostile: at most 1 GiB, at most 64 levels deep.
 *   RASK_EFORMAT   no JSON, another version, a field that is unknown, missing or out of place
 *   RASK_ENOENT    a key that no node has, a function that is not registered
 *   RASK_EEXIST    a key or field given twice
 *   RASK_ECYCLE    nodes that wait for each other
 *   RASK_ETYPE     a field or an argument of the wrong type
 *   RASK_ERANGE    a number that does not fit
 *   RASK_ELIMIT    text, depth, label or number too long; too many nodes
 *   RASK_EINVAL    the number of arguments of a call; a NULL pointer
 *   RASK_ENOMEM */
RASK_API int rask_graph_from_json(const rask_registry *registry, const char *text, size_t len,
                                  bool unknown_as_stub, rask_graph **graph, rask_node ***targets,
                                  size_t *count, char *error, size_t capacity);

/* Writes what the targets need, each node a line, in the order of building; the same graph gives the same
 * text. Keys are made up: n0, n1, …. *text is NUL-terminated and freed with rask_json_free().
 * RASK_EUNSUPPORTED: a block or custom constant, named; RASK_ELIMIT: more than rask_graph_from_json() reads;
 * RASK_EINVAL; RASK_EGRAPH; RASK_ENOMEM. The message is in rask_graph_error(). */
RASK_API int rask_graph_to_json(rask_node *const *targets, size_t count, char **text, size_t *len);
RASK_API void rask_json_free(char *text);

#ifdef __cplusplus
}
#endif

#endif
