#include "core/json/reader.h"
#include "core/task/tags.h"

#include <stdio.h>
#include <string.h>

/* What a builder latched. */
static int build_failed(const rk_reader *r)
{
    return rk_reader_fail(r, rask_graph_status(r->graph), RK_AT_NODE, "%s", rask_graph_error(r->graph));
}

static int not_known(rask_task *task)
{
    char message[RK_MAX_MESSAGE];
    snprintf(message, sizeof message, "no function named %s is registered", rask_task_name(task));
    return rask_fail(task, RASK_ENOENT, message);
}

/* A definition that stands in for an unknown function; it lives as long as the graph. */
static const rask_task_def *unknown_new(rk_reader *r, const char *name)
{
    size_t len = strlen(name);
    char *copy = rk_arena_alloc(&r->graph->arena, len + 1);
    rask_task_def *def = rk_arena_alloc(&r->graph->arena, sizeof *def);
    if (!copy || !def)
        return NULL;
    memcpy(copy, name, len + 1);
    *def = (rask_task_def){.size = sizeof *def, .name = copy, .call = not_known};
    return rask_registry_add(r->unknown, def) ? NULL : def;
}

static int find_function(rk_reader *r, const char *name, const rask_task_def **def)
{
    rk_place at = {RK_FIELD_CALL, RK_NO_INDEX, ""};
    if (!*name)
        return rk_reader_fail(r, RASK_EFORMAT, at, "a function has a name");
    *def = rask_registry_find(r->registry, name);
    if (!*def && r->unknown)
        *def = rask_registry_find(r->unknown, name);
    if (*def)
        return RASK_OK;
    char quoted[RK_JSON_QUOTED];
    if (!r->unknown)
        return rk_reader_fail(r, RASK_ENOENT, at, "no function named %s is registered",
                              rk_json_quote(name, strlen(name), quoted));
    *def = unknown_new(r, name);
    return *def ? RASK_OK : rk_reader_no_memory(r);
}

static int read_value(const rk_reader *r, rk_place at, const cJSON *item, rask_value *out)
{
    rk_json_problem problem;
    int status = rk_json_value(item, out, &problem);
    at.inner = problem.where;
    return status ? rk_reader_fail(r, status, at, "%s", problem.what) : RASK_OK;
}

static void drop_values(rk_reader *r)
{
    while (r->values.count)
        rask_value_unref((rask_value *)r->values.data + --r->values.count);
}

/* One argument; nodes are taken from *next on. Its value, if it is one, stays where it is: there is room. */
static int make_arg(rk_reader *r, const cJSON *item, size_t index, rask_node ***next)
{
    rask_arg *arg = rk_array_push(&r->args);
    if (rk_json_is_reference(item)) {
        *arg = (rask_arg){.kind = RASK_ARG_NODE, .as.node = *(*next)++};
        return RASK_OK;
    }
    rask_value value;
    int status = read_value(r, RK_AT_I(RK_FIELD_ARGS, index), item, &value);
    if (status)
        return status;
    rask_value *kept = rk_array_push(&r->values);
    *kept = value;
    *arg = (rask_arg){.kind = RASK_ARG_VALUE, .as.value = kept};
    return RASK_OK;
}

static int make_args(rk_reader *r, const cJSON *args)
{
    const cJSON *first = args ? args->child : NULL;
    rask_node **next = r->nodes.data;
    size_t count = 0, index = 0;
    for (const cJSON *item = first; item; item = item->next)
        count++;
    r->args.count = r->values.count = 0;
    if (rk_array_reserve(&r->args, count) || rk_array_reserve(&r->values, count))
        return rk_reader_no_memory(r);
    int status = RASK_OK;
    for (const cJSON *item = first; item && !status; item = item->next)
        status = make_arg(r, item, index++, &next);
    return status;
}

static int build_call(rk_reader *r, const rk_draft *draft, rask_node **node)
{
    const rask_task_def *def = NULL;
    int status = find_function(r, draft->field[RK_FIELD_CALL]->valuestring, &def);
    if (!status)
        status = make_args(r, draft->field[RK_FIELD_ARGS]);
    if (!status)
        *node = rask_call_at(r->graph, def, r->args.data, r->args.count, NULL, 0);
    drop_values(r);
    return status;
}

static int build_constant(const rk_reader *r, const rk_draft *draft, rask_node **node)
{
    rask_value value;
    int status = read_value(r, RK_AT(draft->kind), draft->field[draft->kind], &value);
    if (status)
        return status;
    rask_arg arg = {.kind = RASK_ARG_VALUE, .as.value = &value};
    *node = draft->kind == RK_FIELD_CONST ? rask_const_at(r->graph, &arg, NULL, 0)
                                          : rask_input_at(r->graph, &arg, NULL, 0);
    rask_value_unref(&value);
    return RASK_OK;
}

static int build_item(const rk_reader *r, const rk_draft *draft, rask_node **node)
{
    int64_t index;
    if (!rk_json_integer(draft->field[RK_FIELD_ITEM], 0, (int64_t)RK_JSON_EXACT - 1, &index))
        return rk_reader_fail(r, RASK_ERANGE, RK_AT(RK_FIELD_ITEM), "is not a whole number from 0 on");
    *node = rask_item_at(*(rask_node **)r->nodes.data, (size_t)index, NULL, 0);
    return RASK_OK;
}

static int build_node(rk_reader *r, const rk_draft *draft, rask_node **node)
{
    int status = RASK_OK;
    *node = NULL;
    switch (draft->kind) {
    case RK_FIELD_CALL: status = build_call(r, draft, node); break;
    case RK_FIELD_LIST: *node = rask_list_at(r->graph, r->nodes.data, r->arguments, NULL, 0); break;
    case RK_FIELD_ITEM: status = build_item(r, draft, node); break;
    default: status = build_constant(r, draft, node); break;
    }
    return status || *node ? status : build_failed(r);
}

/* An integer field within bounds; left alone when it is not there. */
static int read_integer(const rk_reader *r, const rk_draft *draft, enum rk_field field, int64_t least,
                        int64_t most, int64_t *out)
{
    if (!draft->field[field] || rk_json_integer(draft->field[field], least, most, out))
        return RASK_OK;
    return rk_reader_fail(r, RASK_ERANGE, RK_AT(field), "is not a whole number from %lld to %lld",
                          (long long)least, (long long)most);
}

static int set_label(const rk_reader *r, const cJSON *label, rask_node *node)
{
    if (strlen(label->valuestring) > RASK_MAX_LABEL)
        return rk_reader_fail(r, RASK_ELIMIT, RK_AT(RK_FIELD_LABEL), "is longer than %d bytes",
                              RASK_MAX_LABEL);
    return rask_set_label(node, label->valuestring) ? RASK_OK : build_failed(r);
}

static int set_tags(const rk_reader *r, const char *tags, rask_node *node)
{
    if (*tags && !rk_tags_valid(tags))
        return rk_reader_fail(r, RASK_EINVAL, RK_AT(RK_FIELD_TAGS), "is no list such as \"gpu:1,licence:2\"");
    return rask_set_tags(node, tags) ? RASK_OK : build_failed(r);
}

/* timeout or backoff, by set. */
static int set_time(const rk_reader *r, const rk_draft *draft, enum rk_field field,
                    rask_node *(*set)(rask_node *, double), rask_node *node)
{
    rask_value value;
    double seconds;
    rk_place at = {field, RK_NO_INDEX, ""};
    if (!draft->field[field])
        return RASK_OK;
    int status = read_value(r, at, draft->field[field], &value);
    if (status)
        return status;
    status = rask_value_get_f64(&value, &seconds);
    rask_value_unref(&value);
    if (status)
        return rk_reader_fail(r, status, at, "is not a number");
    if (!(seconds >= 0))
        return rk_reader_fail(r, RASK_ERANGE, at, "is negative or no number");
    return set(node, seconds) ? RASK_OK : build_failed(r);
}

static int set_attributes(const rk_reader *r, const rk_draft *draft, rask_node *node)
{
    int64_t priority = 0, retries = 0, bytes = 0;
    int status = read_integer(r, draft, RK_FIELD_PRIORITY, INT32_MIN, INT32_MAX, &priority);
    if (!status)
        status = read_integer(r, draft, RK_FIELD_RETRIES, 0, UINT32_MAX, &retries);
    if (!status)
        status = read_integer(r, draft, RK_FIELD_RESULT_BYTES, 0, (int64_t)RK_JSON_EXACT - 1, &bytes);
    if (!status && draft->field[RK_FIELD_LABEL])
        status = set_label(r, draft->field[RK_FIELD_LABEL], node);
    if (!status && draft->field[RK_FIELD_TAGS])
        status = set_tags(r, draft->field[RK_FIELD_TAGS]->valuestring, node);
    if (!status)
        status = set_time(r, draft, RK_FIELD_TIMEOUT, rask_set_timeout, node);
    if (!status)
        status = set_time(r, draft, RK_FIELD_BACKOFF, rask_set_backoff, node);
    if (status)
        return status;
    if ((draft->field[RK_FIELD_PRIORITY] && !rask_set_priority(node, (int32_t)priority)) ||
        (draft->field[RK_FIELD_RETRIES] && !rask_set_retries(node, (uint32_t)retries)) ||
        (draft->field[RK_FIELD_RESULT_BYTES] && !rask_set_result_bytes(node, (uint64_t)bytes)))
        return build_failed(r);
    return RASK_OK;
}

/* The nodes of what the draft needs. */
static int find_nodes(rk_reader *r)
{
    r->nodes.count = 0;
    if (rk_array_reserve(&r->nodes, r->needs.count))
        return rk_reader_no_memory(r);
    for (size_t i = 0; i < r->needs.count; i++) {
        uint32_t id = rk_json_entry_at(&r->document, ((const uint32_t *)r->needs.data)[i])->id;
        *(rask_node **)rk_array_push(&r->nodes) = rk_graph_node(r->graph, id);
    }
    return RASK_OK;
}

int rk_draft_build(rk_reader *r, const rk_draft *draft)
{
    rask_node *node;
    int status = find_nodes(r);
    if (!status)
        status = build_node(r, draft, &node);
    if (status)
        return status;
    size_t deps = r->needs.count - r->arguments;
    if (deps && !rask_after_at(node, (rask_node **)r->nodes.data + r->arguments, deps, NULL, 0))
        return build_failed(r);
    rk_json_entry_at(&r->document, r->current)->id = rask_node_id(node);
    return set_attributes(r, draft, node);
}
