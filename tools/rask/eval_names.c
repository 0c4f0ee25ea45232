/* The forms that a value takes:
 *   3.5, -2, 2j, nan, True              a number
 *   PATH                                .npy, .npz of one member, .h5, .zarr, by its ending
 *   PATH:MEMBER                         of an .npz, .h5 or .zarr: the array in it
 *   PATH:DTYPE[:LENGTHS[:OFFSET]][:F]   raw binary: element type, lengths with commas, bytes in front; Fortran order
 *   PATTERN, PATTERN@AXIS               files together along a new first axis, or along one that they have
 * A file that has the whole text as its name comes first; ./NAME is never a number. */
#include "eval_names.h"

#include "say.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t name_length(const char *argument)
{
    size_t len = 0;
    while (isalpha((unsigned char)argument[len]) || argument[len] == '_' ||
           (len && isdigit((unsigned char)argument[len])))
        len++;
    return len;
}

bool eval_is_binding(const char *argument)
{
    size_t len = name_length(argument);
    return len && argument[len] == '=' && argument[len + 1] != '=';
}

int eval_names_init(eval_names *n, rask_graph *graph, int count, char **arguments)
{
    size_t bytes = 1;
    for (int i = 0; i < count; i++)
        bytes += strlen(arguments[i]) + 1;
    *n = (eval_names){.graph = graph};
    n->names = calloc((size_t)count + 1, sizeof *n->names);
    n->operands = calloc((size_t)count + 1, sizeof *n->operands);
    n->texts = malloc(bytes);
    return n->names && n->operands && n->texts ? RASK_OK : RASK_ENOMEM;
}

void eval_names_fini(eval_names *n)
{
    free(n->names);
    free(n->operands);
    free(n->texts);
}

/* --- numbers */

static bool is_number(const char *text, rask_operand *out)
{
    char *end;
    const char *digits = text + (*text == '-' || *text == '+');
    bool word = strcmp(digits, "nan") == 0 || strcmp(digits, "inf") == 0;
    if (strcmp(text, "True") == 0 || strcmp(text, "False") == 0) {
        *out = (rask_operand){.kind = RASK_OPERAND_BOOL, .as.boolean = *text == 'T'};
        return true;
    }
    if (!word && !isdigit((unsigned char)*digits) && *digits != '.')
        return false;
    errno = 0;
    *out = (rask_operand){.kind = RASK_OPERAND_I64, .as.i64 = strtoll(text, &end, 10)};
    if (end != text && !*end && !errno)
        return true;
    double value = strtod(text, &end);
    if (end == text || strcspn(digits, "xXpP") < (size_t)(end - digits))
        return false;
    if ((*end == 'j' || *end == 'J') && !end[1]) {
        *out = (rask_operand){.kind = RASK_OPERAND_C128, .as.c128 = {0, value}};
        return true;
    }
    *out = (rask_operand){.kind = RASK_OPERAND_F64, .as.f64 = value};
    return !*end;
}

/* --- files */

typedef struct file_form {
    char *path, *rest; /* rest: what stands behind the colon; NULL: nothing */
    rask_open_options options;
    int64_t shape[RASK_MAX_DIMENSIONS];
} file_form;

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Cuts a path at the first colon that a file's name stands before. */
static void split_path(file_form *f)
{
    if (exists(f->path))
        return;
    for (char *colon = strchr(f->path, ':'); colon; colon = strchr(colon + 1, ':')) {
        *colon = 0;
        if (exists(f->path)) {
            f->rest = colon + 1;
            return;
        }
        *colon = ':';
    }
}

static bool has_ending(const char *path, const char *const *endings)
{
    size_t len = strlen(path);
    while (len && path[len - 1] == '/')
        len--;
    for (; *endings; endings++) {
        size_t end = strlen(*endings);
        if (len > end && strncmp(path + len - end, *endings, end) == 0)
            return true;
    }
    return false;
}

static const char *take_lengths(file_form *f, const char *text)
{
    for (;;) {
        char *end;
        errno = 0;
        long long length = strtoll(text, &end, 10);
        if (end == text || errno || length < 0)
            return "lengths are numbers with commas between them";
        if (f->options.ndim == RASK_MAX_DIMENSIONS)
            return "too many lengths";
        f->shape[f->options.ndim++] = length;
        if (!*end) {
            f->options.shape = f->shape;
            return NULL;
        }
        if (*end != ',')
            return "lengths are numbers with commas between them";
        text = end + 1;
    }
}

static const char *take_offset(file_form *f, const char *text)
{
    char *end;
    errno = 0;
    f->options.offset = strtoull(text, &end, 10);
    return !isdigit((unsigned char)*text) || *end || errno ? "the offset is a number of bytes" : NULL;
}

/* DTYPE[:LENGTHS[:OFFSET]][:F]. Returns what is wrong; NULL: nothing. */
static const char *take_raw(file_form *f)
{
    char *save = NULL, *part = strtok_r(f->rest, ":", &save);
    const char *wrong = NULL;
    f->options.format = "raw";
    f->options.big_endian = part && *part == '>';
    if (f->options.big_endian)
        part++;
    if (!part || rask_dtype_parse(part, &f->options.dtype))
        return "behind the path of a raw file a dtype is expected, such as f4";
    for (int i = 0; !wrong && (part = strtok_r(NULL, ":", &save)); i++) {
        if (strcmp(part, "F") == 0)
            f->options.fortran = true;
        else
            wrong = i == 0 ? take_lengths(f, part) : i == 1 ? take_offset(f, part) : "too many parts";
    }
    return wrong;
}

static const char *take_rest(file_form *f)
{
    static const char *const with_members[] = {".npz", ".h5", ".hdf5", ".zarr", NULL}, *const npy[] = {".npy",
                                                                                                       NULL};
    if (has_ending(f->path, npy))
        return "an .npy file has no parts";
    if (!has_ending(f->path, with_members))
        return take_raw(f);
    f->options.member = f->rest;
    return NULL;
}

/* PATTERN@AXIS. */
static void take_axis(file_form *f)
{
    char *at = strrchr(f->path, '@'), *end;
    if (!at || exists(f->path))
        return;
    errno = 0;
    long axis = strtol(at + 1, &end, 10);
    if (end == at + 1 || *end || errno || axis < -RASK_MAX_DIMENSIONS || axis > RASK_MAX_DIMENSIONS)
        return;
    f->options.stack_axis = (int)axis;
    *at = 0;
}

/* Of a path with parts no file was found by any of its beginnings: the likeliest is the first. */
static void say_failure(const eval_names *n, const char *name, const char *path, char *message,
                        size_t capacity)
{
    size_t len = strcspn(path, ":");
    if (rask_graph_status(n->graph) == RASK_ENOENT && path[len] && len)
        snprintf(message, capacity, "%s: %.*s: no such file (nor one that is called %s)", name, (int)len,
                 path, path);
    else
        snprintf(message, capacity, "%s: %s", name, say_without_call(rask_graph_error(n->graph)));
}

static int open_file(eval_names *n, const char *name, char *value, rask_array **array, char *message,
                     size_t capacity)
{
    file_form f = {.path = value, .options = {.size = sizeof f.options, .stack_axis = RASK_STACK_NEW}};
    const char *wrong = NULL;
    split_path(&f);
    if (f.rest)
        wrong = take_rest(&f);
    else if (strpbrk(f.path, "*?["))
        take_axis(&f);
    if (wrong) {
        snprintf(message, capacity, "%s: %s: %s", name, f.path, wrong);
        return RASK_EINVAL;
    }
    *array = rask_array_open_at(n->graph, f.path, &f.options, NULL, 0);
    if (!*array)
        say_failure(n, name, f.path, message, capacity);
    return *array ? RASK_OK : rask_graph_status(n->graph);
}

static bool is_known(const eval_names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++) {
        if (strcmp(n->names[i], name) == 0)
            return true;
    }
    return false;
}

int eval_names_add(eval_names *n, const char *argument, char *message, size_t capacity)
{
    size_t len = name_length(argument);
    char *name = n->texts + n->used, *value = name + len + 1;
    rask_operand operand;
    strcpy(name, argument);
    name[len] = 0;
    if (is_known(n, name)) {
        snprintf(message, capacity, "%s: given twice", name);
        return RASK_EEXIST;
    }
    if (!*value) {
        snprintf(message, capacity, "%s: a file or a number expected behind =", name);
        return RASK_EINVAL;
    }
    n->used += strlen(argument) + 1;
    if (exists(value) || !is_number(value, &operand)) {
        operand = (rask_operand){.kind = RASK_OPERAND_ARRAY};
        int status = open_file(n, name, value, &operand.as.array, message, capacity);
        if (status)
            return status;
    }
    n->names[n->count] = name;
    n->operands[n->count++] = operand;
    return RASK_OK;
}
