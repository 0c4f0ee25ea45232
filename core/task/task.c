/* Arguments, results and failures of a task while it runs. */
#include "core/task/task.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int rk_task_fail(rask_task *task, int code, const char *format, ...)
{
    if (task->status)
        return task->status;
    task->status = code ? code : RASK_ETASK;
    va_list args;
    va_start(args, format);
    vsnprintf(task->message, RK_MAX_MESSAGE + 1, format, args);
    va_end(args);
    return task->status;
}

int rask_fail(rask_task *task, int code, const char *message)
{
    code = code ? code : RASK_ETASK;
    return rk_task_fail(task, code, "%s", message ? message : rask_status_text(code));
}

static int fail_type(rask_task *task, size_t index, const rask_value *value, const char *wanted)
{
    const char *why =
        value->type == RASK_LIST && task->nargs == 1
            ? ": a list is one argument, which is spread only where a definition says of how many"
            : "";
    return rk_task_fail(task, RASK_ETYPE, "argument %zu is %s, not %s%s", index, rask_type_name(value->type),
                        wanted, why);
}

static const rask_value none = {.type = RASK_NONE};

/* Argument index; none, and a failure, when there are not so many. */
static inline const rask_value *argument(rask_task *task, size_t index)
{
    if (__builtin_expect(index < task->nargs, 1))
        return rk_env_value(task->env, task->args[index]);
    rk_task_fail(task, RASK_EINVAL, "asked for argument %zu but was given %u", index, task->nargs);
    return &none;
}

size_t rask_arg_count(const rask_task *task)
{
    return task->nargs;
}

bool rask_arg_bool(rask_task *task, size_t index)
{
    bool b = false;
    const rask_value *value = argument(task, index);
    if (rask_value_get_bool(value, &b))
        fail_type(task, index, value, "bool");
    return b;
}

int64_t rask_arg_i64(rask_task *task, size_t index)
{
    const rask_value *value = argument(task, index);
    if (__builtin_expect(value->type == RASK_I64, 1))
        return value->as.i64;
    int64_t i = 0;
    if (rask_value_get_i64(value, &i))
        fail_type(task, index, value, "i64");
    return i;
}

double rask_arg_f64(rask_task *task, size_t index)
{
    const rask_value *value = argument(task, index);
    if (__builtin_expect(value->type == RASK_F64, 1))
        return value->as.f64;
    double f = 0;
    if (rask_value_get_f64(value, &f))
        fail_type(task, index, value, "f64");
    return f;
}

rask_bytes rask_arg_bytes(rask_task *task, size_t index)
{
    rask_bytes bytes = {"", 0};
    const rask_value *value = argument(task, index);
    if (rask_value_get_bytes(value, &bytes))
        fail_type(task, index, value, "bytes");
    return bytes;
}

const char *rask_arg_str(rask_task *task, size_t index)
{
    rask_bytes bytes = rask_arg_bytes(task, index);
    if (!memchr(bytes.data, 0, bytes.len))
        return bytes.data;
    rk_task_fail(task, RASK_ETYPE, "argument %zu is bytes with a NUL inside, not str", index);
    return "";
}

const rask_value *rask_arg_value(rask_task *task, size_t index)
{
    return argument(task, index);
}

const rask_value *rask_arg_list(rask_task *task, size_t index, size_t *count)
{
    const rask_value *items = NULL, *value = argument(task, index);
    *count = 0;
    if (rask_value_get_list(value, &items, count))
        fail_type(task, index, value, "list");
    return items;
}

int rask_arg_block(rask_task *task, size_t index, rask_block *out)
{
    const rask_value *value = argument(task, index);
    return rask_value_get_block(value, out) ? fail_type(task, index, value, "block") : RASK_OK;
}

void *rask_arg_custom(rask_task *task, size_t index, const rask_class *cls)
{
    void *data = NULL;
    const rask_value *value = argument(task, index);
    if (rask_value_get_custom(value, cls, &data))
        fail_type(task, index, value, cls ? cls->name : "custom");
    return data;
}

/* One argument against its letter. */
static void check_argument(rask_task *task, size_t index, char letter)
{
    switch (letter) {
    case RASK_SIG_BOOL: rask_arg_bool(task, index); break;
    case RASK_SIG_I64: rask_arg_i64(task, index); break;
    case RASK_SIG_F64: rask_arg_f64(task, index); break;
    case RASK_SIG_STR: rask_arg_str(task, index); break;
    case RASK_SIG_BYTES: rask_arg_bytes(task, index); break;
    default: break;
    }
}

int rk_task_check(rask_task *task)
{
    for (size_t i = 0; i < task->nargs && !task->status; i++)
        check_argument(task, i, task->def->arguments[i]);
    return task->status;
}

int rask_return_value(rask_task *task, rask_value value)
{
    rask_value_unref(&task->result);
    task->result = value;
    return task->status;
}

int rask_return_none(rask_task *task)
{
    return rask_return_value(task, rask_value_none());
}

int rask_return_bool(rask_task *task, bool b)
{
    return rask_return_value(task, rask_value_bool(b));
}

int rask_return_i64(rask_task *task, int64_t i)
{
    if (__builtin_expect(task->result.type >= RASK_BYTES, 0))
        rask_value_unref(&task->result);
    task->result.type = RASK_I64;
    task->result.as.i64 = i;
    return task->status;
}

int rask_return_f64(rask_task *task, double f)
{
    if (__builtin_expect(task->result.type >= RASK_BYTES, 0))
        rask_value_unref(&task->result);
    task->result.type = RASK_F64;
    task->result.as.f64 = f;
    return task->status;
}

/* A result whose making may fail. */
static int return_made(rask_task *task, int status, rask_value value, size_t bytes)
{
    if (status == RASK_EINVAL)
        return rk_task_fail(task, status,
                            "returned what is no value: a NULL array, or a class without name or destroy");
    if (status)
        return rk_task_fail(task, status, "no memory for a result of %zu bytes", bytes);
    return rask_return_value(task, value);
}

int rask_return_bytes(rask_task *task, const void *data, size_t len)
{
    rask_value value;
    if (!data && len)
        return rk_task_fail(task, RASK_EINVAL, "returned %zu bytes at NULL", len);
    return return_made(task, rask_value_bytes_new(data, len, &value), value, len);
}

int rask_return_str(rask_task *task, const char *text)
{
    if (!text)
        return rk_task_fail(task, RASK_ETASK, "returned a NULL string");
    return rask_return_bytes(task, text, strlen(text));
}

int rask_return_list(rask_task *task, const rask_value *values, size_t count)
{
    rask_value value;
    return return_made(task, rask_value_list_new(values, count, &value), value, count * sizeof *values);
}

int rk_return_values(rask_task *task, int status, rask_value *values, size_t count)
{
    if (!status)
        status = rask_return_list(task, values, count);
    for (size_t i = 0; values && i < count; i++)
        rask_value_unref(&values[i]);
    rk_free(values);
    return status;
}

int rask_return_custom(rask_task *task, const rask_class *cls, void *data)
{
    rask_value value;
    int status = rask_value_custom_new(cls, data, &value);
    if (status && cls && cls->destroy)
        cls->destroy(data);
    return return_made(task, status, value, sizeof value);
}

static bool passed(uint64_t deadline_ns)
{
    return deadline_ns && rk_clock_now() >= deadline_ns;
}

static bool is_over(const rk_task_env *env)
{
    return rk_load_relaxed(&env->stop) || rask_cancelled(rk_load_acquire(&env->cancel)) ||
           passed(env->deadline_ns);
}

static bool must_stop(const rask_task *task)
{
    const rk_task_env *env = task->env;
    return is_over(env) || passed(task->deadline_ns) || (env->outer && is_over(env->outer));
}

bool rask_task_cancelled(rask_task *task)
{
    if (!must_stop(task))
        return false;
    task->told_to_stop = true;
    return true;
}

const char *rask_task_name(const rask_task *task)
{
    return task->def->name;
}

uint32_t rask_task_worker(const rask_task *task)
{
    return task->worker;
}

uint32_t rask_task_attempt(const rask_task *task)
{
    return task->attempt;
}

rask_cancel_token *rask_cancel_token_new(void)
{
    return rk_calloc(1, sizeof(rask_cancel_token));
}

void rask_cancel_token_free(rask_cancel_token *token)
{
    rk_free(token);
}

void rask_cancel(rask_cancel_token *token)
{
    for (; token; token = token->whole)
        rk_store_relaxed(&token->cancelled, true);
}

static bool cancelled_for_good(const rask_cancel_token *token)
{
    while (token && !rk_load_relaxed(&token->cancelled))
        token = token->whole;
    return token != NULL;
}

bool rask_cancelled(const rask_cancel_token *token)
{
    return token && (rk_load_relaxed(&token->enough) || cancelled_for_good(token));
}

void rk_cancel_for_now(rask_cancel_token *token)
{
    rk_store_relaxed(&token->enough, true);
}

bool rk_cancelled_for_now(const rask_cancel_token *token)
{
    return token && rk_load_relaxed(&token->enough) && !cancelled_for_good(token);
}
