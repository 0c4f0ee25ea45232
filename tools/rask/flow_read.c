/* Workflows out of JSON. Rask's own format has no other members than it knows; of WfFormat what is expected is looked for,
 * and everything else is passed over. */
#include "flow.h"
#include "flow_path.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <rask/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRIES_MOST = 1000000, SECONDS_MOST = 1000000000 };

typedef struct named {
    const char *text;
    uint32_t task;
} named;

typedef struct reader {
    flow *flow;
    const cJSON **items; /* by task: the object in the file, */
    const cJSON **runs;  /* and of WfFormat 1.5 that of its execution; NULL: none */
    named *ids, *outputs;
    uint32_t id_count, output_count;
    flow_paths paths;
    bool commons;
    char *error;
} reader;

static bool fail(const reader *r, const char *id, const char *what, const char *which)
{
    snprintf(r->error, FLOW_ERROR, "%s%.150s%s%s%s%.200s%s", id ? "task \"" : "", id ? id : "",
             id ? "\": " : "", what, which ? " \"" : "", which ? which : "", which ? "\"" : "");
    return false;
}

static bool out_of_memory(const reader *r)
{
    return fail(r, NULL, "out of memory", NULL);
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* -- Names, sorted, to be found */

static int by_text(const void *a, const void *b)
{
    int order = strcmp(((const named *)a)->text, ((const named *)b)->text);
    uint32_t x = ((const named *)a)->task, y = ((const named *)b)->task;
    return order ? order : x < y ? -1 : x > y;
}

/* UINT32_MAX: none. */
static uint32_t find(const named *all, uint32_t count, const char *text)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(all[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && !strcmp(all[low].text, text) ? all[low].task : UINT32_MAX;
}

static const char *twice(const named *all, uint32_t count)
{
    for (uint32_t i = 0; i + 1 < count; i++)
        if (!strcmp(all[i].text, all[i + 1].text) && all[i].task != all[i + 1].task)
            return all[i].text;
    return NULL;
}

/* -- A task */

/* A list of texts as an array that ends with NULL. */
static bool take_texts(const reader *r, const flow_task *t, const cJSON *list, const char *what,
                       const char ***out)
{
    const cJSON *item;
    size_t count = 0;
    if (list && !cJSON_IsArray(list))
        return fail(r, t->id, "no list:", what);
    const char **texts = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *texts);
    if (!texts)
        return out_of_memory(r);
    *out = texts;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || !*item->valuestring)
            return fail(r, t->id, "something that is no text in", what);
        texts[count++] = item->valuestring;
    }
    return true;
}

static bool take_number(const reader *r, const flow_task *t, const cJSON *object, const char *name,
                        double most, double *out)
{
    const cJSON *item = member(object, name);
    if (!item || cJSON_IsNull(item))
        return true;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > most)
        return fail(r, t->id, "no number, or one that is too small or large:", name);
    *out = item->valuedouble;
    return true;
}

/* Its last part. */
static const char *program_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* -- The members of Rask's own format: what is not known is misspelt, and what is known has to be what it is to be */

typedef struct known_member {
    const char *name;
    bool (*fits)(const cJSON *);
    const char *wanted;
} known_member;

static bool is_text(const cJSON *item)
{
    return cJSON_IsString(item) && *item->valuestring;
}

static bool is_texts(const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (!is_text(item))
            return false;
    }
    return cJSON_IsArray(list);
}

static bool is_command(const cJSON *item)
{
    return is_text(item) || (is_texts(item) && cJSON_GetArraySize(item) > 0);
}

static bool is_any_text(const cJSON *item)
{
    return cJSON_IsString(item);
}

static bool is_count(const cJSON *item)
{
    double value = cJSON_GetNumberValue(item);
    return value >= 0 && value <= RETRIES_MOST && value == floor(value);
}

static bool is_seconds(const cJSON *item)
{
    double value = cJSON_GetNumberValue(item);
    return value >= 0 && value <= SECONDS_MOST;
}

static bool is_version(const cJSON *item)
{
    return cJSON_GetNumberValue(item) == 1;
}

static bool is_object(const cJSON *item)
{
    return cJSON_IsObject(item);
}

static const known_member root_members[] = {
    {"version", is_version, "1, the version that is read"},
    {"tasks", is_object, "an object with tasks by their ids"},
    {0},
};

static const known_member task_members[] = {
    {"command", is_command, "a line for /bin/sh, or a list: program and arguments"},
    {"inputs", is_texts, "a list of paths"},
    {"outputs", is_texts, "a list of paths"},
    {"after", is_texts, "a list of ids of tasks"},
    {"name", is_text, "a text"},
    {"retries", is_count, "a whole number from 0 to 1000000"},
    {"timeout", is_seconds, "a number of seconds from 0 to 1e9"},
    {"seconds", is_seconds, "a number of seconds from 0 to 1e9"},
    {"tags", is_any_text, "a text such as \"gpu:2\""},
    {0},
};

/* id: NULL for what is no task's. */
static bool check_members(const reader *r, const char *id, const cJSON *object, const known_member *known)
{
    const cJSON *item;
    uint32_t seen = 0;
    cJSON_ArrayForEach(item, object)
    {
        uint32_t at = 0;
        while (known[at].name && strcmp(known[at].name, item->string) != 0)
            at++;
        if (!known[at].name)
            return fail(r, id, "unknown member", item->string);
        if (seen & 1u << at)
            return fail(r, id, "given twice:", item->string);
        if (!known[at].fits(item)) {
            char what[100];
            snprintf(what, sizeof what, "\"%s\" is not %s", known[at].name, known[at].wanted);
            return fail(r, id, what, NULL);
        }
        seen |= 1u << at;
    }
    return true;
}

static bool take_own(const reader *r, flow_task *t, const cJSON *item)
{
    const cJSON *command = member(item, "command");
    double retries = 0;
    if (!check_members(r, t->id, item, task_members))
        return false;
    if (!command && !member(item, "outputs") && !member(item, "inputs") && !member(item, "after") &&
        !member(item, "seconds"))
        return fail(r, t->id, "nothing to do: it has no", "command");
    t->shell = cJSON_GetStringValue(command);
    if (!t->shell && command && !take_texts(r, t, command, "command", &t->arguments))
        return false;
    t->name = text_of(item, "name");
    if (!t->name)
        t->name = t->arguments && t->arguments[0] ? program_name(t->arguments[0]) : "command";
    t->tags = text_of(item, "tags");
    if (!take_texts(r, t, member(item, "inputs"), "inputs", &t->inputs) ||
        !take_texts(r, t, member(item, "outputs"), "outputs", &t->outputs) ||
        !take_number(r, t, item, "retries", RETRIES_MOST, &retries) ||
        !take_number(r, t, item, "timeout", SECONDS_MOST, &t->timeout) ||
        !take_number(r, t, item, "seconds", SECONDS_MOST, &t->seconds))
        return false;
    t->retries = (uint32_t)retries;
    return true;
}

/* -- And of WfFormat's, where others may be */

/* Program and arguments, which may be texts with several words in older files; they are taken as they are. */
static bool take_program(const reader *r, flow_task *t, const cJSON *command)
{
    const char *program = text_of(command, "program");
    const cJSON *arguments = member(command, "arguments"), *item;
    size_t count = 0;
    if (!program || !*program)
        return true;
    t->arguments = calloc((size_t)cJSON_GetArraySize(arguments) + 2, sizeof *t->arguments);
    if (!t->arguments)
        return out_of_memory(r);
    t->arguments[count++] = program;
    cJSON_ArrayForEach(item, arguments)
    {
        if (cJSON_IsString(item))
            t->arguments[count++] = item->valuestring;
    }
    return true;
}

/* WfFormat 1.4: files with their direction. */
static bool take_files(const reader *r, flow_task *t, const cJSON *files)
{
    const cJSON *file;
    size_t inputs = 0, outputs = 0, most = (size_t)cJSON_GetArraySize(files) + 1;
    t->inputs = calloc(most, sizeof *t->inputs);
    t->outputs = calloc(most, sizeof *t->outputs);
    if (!t->inputs || !t->outputs)
        return out_of_memory(r);
    cJSON_ArrayForEach(file, files)
    {
        const char *link = text_of(file, "link"), *name = text_of(file, "name");
        if (!link || !name || !*name)
            return fail(r, t->id, "a file without a name or link", NULL);
        if (!strcmp(link, "input"))
            t->inputs[inputs++] = name;
        else
            t->outputs[outputs++] = name;
    }
    return true;
}

static bool take_commons(const reader *r, flow_task *t, const cJSON *item, const cJSON *run)
{
    const char *id = t->id ? t->id : "";
    const cJSON *from = run ? run : item;
    t->name = text_of(item, "category");
    if (!t->name)
        t->name = text_of(item, "name");
    bool good = take_program(r, t, member(from, "command"));
    if (good && !run)
        good = take_files(r, t, member(item, "files"));
    else if (good)
        good = take_texts(r, t, member(item, "inputFiles"), "inputFiles", &t->inputs) &&
               take_texts(r, t, member(item, "outputFiles"), "outputFiles", &t->outputs);
    if (good && t->arguments && (!t->name || !strcmp(t->name, id)))
        t->name = program_name(t->arguments[0]);
    if (good)
        good = take_number(r, t, from, "runtimeInSeconds", SECONDS_MOST, &t->seconds) &&
               (t->seconds > 0 || take_number(r, t, from, "runtime", SECONDS_MOST, &t->seconds));
    return good;
}

/* -- All tasks */

/* An array of objects, or an object of them by id. */
static bool take_items(reader *r, const cJSON *tasks)
{
    const cJSON *item;
    int count = cJSON_GetArraySize(tasks);
    if (!cJSON_IsArray(tasks) && !cJSON_IsObject(tasks))
        return fail(r, NULL, "no workflow: neither \"tasks\" nor \"workflow\" with tasks", NULL);
    if (count < 1 || count > FLOW_TASKS_MOST)
        return fail(r, NULL, count < 1 ? "no tasks" : "more than a million tasks", NULL);
    r->flow->tasks = calloc((size_t)count, sizeof *r->flow->tasks);
    r->items = calloc((size_t)count, sizeof *r->items);
    r->runs = calloc((size_t)count, sizeof *r->runs);
    r->ids = calloc(2 * (size_t)count, sizeof *r->ids);
    if (!r->flow->tasks || !r->items || !r->runs || !r->ids)
        return out_of_memory(r);
    cJSON_ArrayForEach(item, tasks)
    {
        const char *id = item->string && *item->string ? item->string : text_of(item, "id"),
                   *name = text_of(item, "name");
        id = id ? id : name;
        if (!cJSON_IsObject(item) || !id || !*id)
            return fail(r, NULL, "a task that is no object, or has no id", NULL);
        uint32_t at = r->flow->count++;
        r->items[at] = item;
        r->flow->tasks[at].id = id;
        r->ids[r->id_count++] = (named){id, at};
        if (r->commons && name && strcmp(name, id) != 0)
            r->ids[r->id_count++] = (named){name, at};
    }
    return true;
}

/* Of WfFormat, names need not be different from each other as long as ids are: a name that several have leads to the first. */
static bool sort_ids(const reader *r)
{
    if (!r->ids)
        return out_of_memory(r);
    qsort(r->ids, r->id_count, sizeof *r->ids, by_text);
    const char *again = r->commons ? NULL : twice(r->ids, r->id_count);
    return again ? fail(r, NULL, "two tasks are called", again) : true;
}

static bool take_runs(const reader *r, const cJSON *execution)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, member(execution, "tasks"))
    {
        const char *id = text_of(item, "id");
        uint32_t task = id ? find(r->ids, r->id_count, id) : UINT32_MAX;
        if (task != UINT32_MAX)
            r->runs[task] = item;
    }
    return true;
}

static bool take_tasks(const reader *r)
{
    if (!r->items || !r->runs)
        return out_of_memory(r);
    for (uint32_t i = 0; i < r->flow->count; i++) {
        flow_task *t = &r->flow->tasks[i];
        bool good = r->commons ? take_commons(r, t, r->items[i], r->runs[i]) : take_own(r, t, r->items[i]);
        if (!good)
            return false;
        if (!t->name || !*t->name)
            t->name = "command";
    }
    return true;
}

/* In WfFormat they are names of files, elsewhere, and mean nothing more. NULL: no memory. */
static const char *file_of(reader *r, const char *path)
{
    return r->commons ? path : flow_paths_name(&r->paths, path);
}

static bool take_outputs(reader *r)
{
    size_t count = 0;
    for (uint32_t i = 0; i < r->flow->count; i++)
        for (const char **o = r->flow->tasks[i].outputs; o && *o; o++)
            count++;
    if (count > UINT32_MAX / 2)
        return fail(r, NULL, "too many outputs", NULL);
    r->outputs = calloc(count + 1, sizeof *r->outputs);
    if (!r->outputs)
        return out_of_memory(r);
    for (uint32_t i = 0; i < r->flow->count; i++)
        for (const char **o = r->flow->tasks[i].outputs; o && *o; o++) {
            const char *file = file_of(r, *o);
            if (!file)
                return out_of_memory(r);
            r->outputs[r->output_count++] = (named){file, i};
        }
    qsort(r->outputs, r->output_count, sizeof *r->outputs, by_text);
    const char *again = r->commons ? NULL : twice(r->outputs, r->output_count);
    return again ? fail(r, NULL, "two tasks write", again) : true;
}

/* -- What comes before what */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_before(flow_task *t)
{
    uint32_t kept = 0;
    if (t->before_count > 1)
        qsort(t->before, t->before_count, sizeof *t->before, by_number);
    for (uint32_t i = 0; i < t->before_count; i++)
        if (!kept || t->before[kept - 1] != t->before[i])
            t->before[kept++] = t->before[i];
    t->before_count = kept;
}

static bool take_before(reader *r, uint32_t number)
{
    flow_task *t = &r->flow->tasks[number];
    const char *list = r->commons ? "parents" : "after";
    const cJSON *parents = member(r->items[number], list), *item;
    size_t most = (size_t)cJSON_GetArraySize(parents);
    for (const char **i = t->inputs; i && *i; i++)
        most++;
    t->before = calloc(most + 1, sizeof *t->before);
    if (!t->before)
        return out_of_memory(r);
    cJSON_ArrayForEach(item, parents)
    {
        const char *id = cJSON_GetStringValue(item);
        uint32_t before = id ? find(r->ids, r->id_count, id) : UINT32_MAX;
        if (before == UINT32_MAX)
            return fail(r, t->id, "comes after a task that is not there:", id ? id : "?");
        t->before[t->before_count++] = before;
    }
    for (const char **i = t->inputs; i && *i; i++) {
        const char *file = file_of(r, *i);
        if (!file)
            return out_of_memory(r);
        uint32_t before = find(r->outputs, r->output_count, file);
        if (before != UINT32_MAX && before != number)
            t->before[t->before_count++] = before;
    }
    sort_before(t);
    return true;
}

/* Kahn's: those of which nothing is left that comes before go first. after and starts: who comes behind each. */
static uint32_t sort_tasks(flow *f, uint32_t *left, const uint32_t *starts, const uint32_t *after)
{
    uint32_t done = 0;
    for (uint32_t i = 0; i < f->count; i++)
        if (!(left[i] = f->tasks[i].before_count))
            f->order[done++] = i;
    for (uint32_t at = 0; at < done; at++)
        for (uint32_t e = starts[f->order[at]]; e < starts[f->order[at] + 1]; e++)
            if (--left[after[e]] == 0)
                f->order[done++] = after[e];
    return done;
}

/* Those behind task i are from starts[i + 1] on. */
static void link_after(const flow *f, uint32_t *starts, uint32_t *after)
{
    for (uint32_t i = 0; i < f->count; i++)
        for (uint32_t k = 0; k < f->tasks[i].before_count; k++)
            starts[f->tasks[i].before[k] + 1]++;
    for (uint32_t i = 0; i < f->count; i++)
        starts[i + 1] += starts[i];
    starts[f->count + 1] = starts[f->count];
    for (uint32_t i = f->count; i-- > 0;)
        for (uint32_t k = 0; k < f->tasks[i].before_count; k++)
            after[--starts[f->tasks[i].before[k] + 1]] = i;
}

/* Backwards from any that is stuck, and far enough, somebody is met who waits for himself. */
static uint32_t in_circle(const flow *f, const uint32_t *left)
{
    uint32_t at = 0;
    while (!left[at])
        at++;
    for (uint32_t steps = 0; steps < f->count; steps++) {
        const flow_task *t = &f->tasks[at];
        for (uint32_t k = 0; k < t->before_count; k++)
            if (left[t->before[k]]) {
                at = t->before[k];
                break;
            }
    }
    return at;
}

static bool order_tasks(const reader *r)
{
    flow *f = r->flow;
    size_t edges = 0;
    for (uint32_t i = 0; i < f->count; i++)
        edges += f->tasks[i].before_count;
    f->order = calloc(f->count, sizeof *f->order);
    uint32_t *left = calloc(f->count, sizeof *left), *starts = calloc((size_t)f->count + 2, sizeof *starts),
             *after = calloc(edges + 1, sizeof *after);
    bool room = f->order && left && starts && after && edges < UINT32_MAX;
    uint32_t done = 0;
    if (room) {
        link_after(f, starts, after);
        done = sort_tasks(f, left, starts + 1, after);
    }
    const char *stuck = room && done < f->count ? f->tasks[in_circle(f, left)].id : NULL;
    free(left);
    free(starts);
    free(after);
    if (!room)
        return out_of_memory(r);
    return stuck ? fail(r, stuck, "waits for itself, directly or through others", NULL) : true;
}

/* -- The file */

/* The lines that tasks of the own format begin on, which cJSON does not know: a text in the object "tasks" of the root is
 * the id of one where a colon follows. */
static void find_lines(flow *f, const char *text, size_t len)
{
    uint32_t at = 0, depth = 0;
    int line = 1;
    bool among = false;
    for (size_t i = 0; i < len && at < f->count; i++) {
        char c = text[i];
        size_t begin = i + 1;
        line += c == '\n';
        depth += c == '{' || c == '[';
        depth -= (c == '}' || c == ']') && depth;
        if (c != '"')
            continue;
        for (i++; i < len && text[i] != '"'; i++)
            i += text[i] == '\\';
        size_t end = i;
        while (i + 1 < len && strchr(" \t\r\n", text[i + 1]) && text[i + 1])
            line += text[++i] == '\n';
        if (i + 1 >= len || text[i + 1] != ':')
            continue;
        if (depth == 1)
            among = end - begin == 5 && memcmp(text + begin, "tasks", 5) == 0;
        else if (depth == 2 && among)
            f->tasks[at++].line = line;
    }
}

static bool read_all(reader *r)
{
    const cJSON *root = r->flow->root, *workflow = member(root, "workflow"), *tasks = member(root, "tasks");
    const cJSON *specification = member(workflow, "specification");
    r->commons = workflow != NULL;
    if (r->commons)
        tasks = member(specification ? specification : workflow, "tasks");
    if (!r->commons && !cJSON_IsObject(tasks))
        return fail(r, NULL, "no workflow: neither \"tasks\", by their ids, nor \"workflow\"", NULL);
    if (!r->commons && !check_members(r, NULL, root, root_members))
        return false;
    if (!take_items(r, tasks) || !sort_ids(r))
        return false;
    if (specification && !take_runs(r, member(workflow, "execution")))
        return false;
    if (!take_tasks(r) || !take_outputs(r))
        return false;
    for (uint32_t i = 0; i < r->flow->count; i++)
        if (!take_before(r, i))
            return false;
    return order_tasks(r);
}

bool flow_is(const char *text, size_t len)
{
    cJSON *root = cJSON_ParseWithLength(text, len);
    bool is = cJSON_IsObject(member(root, "tasks")) || cJSON_IsObject(member(root, "workflow"));
    cJSON_Delete(root);
    return is;
}

/* A text with a NUL would end there, and run as another command than the one that stands in the file. */
static const char *find_nul(const char *text, size_t len)
{
    for (const char *at = text, *end = text + len; (at = memchr(at, '\\', (size_t)(end - at))); at += 2) {
        if (end - at < 2)
            return NULL;
        if (end - at >= 6 && memcmp(at, "\\u0000", 6) == 0)
            return at;
    }
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Says where text[at] stands, as people count: lines, and characters of a line. */
static bool fail_at(const char *text, size_t at, const char *what, char error[FLOW_ERROR])
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        column += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    snprintf(error, FLOW_ERROR, "%zu:%zu: %s", line, column, what);
    return false;
}

_Static_assert(CJSON_NESTING_LIMIT == 1000, "what a message says");

/* Where text, as far as cJSON read it, is nested deeper than it reads; NULL: nowhere. */
static const char *find_depth(const char *text, size_t len)
{
    bool quoted = false;
    int depth = 0;
    for (const char *at = text, *end = text + len; at < end; at++) {
        if (quoted && *at == '\\')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && (*at == '[' || *at == '{') && ++depth > CJSON_NESTING_LIMIT)
            return at;
        else if (!quoted && (*at == ']' || *at == '}'))
            depth--;
    }
    return NULL;
}

/* cJSON's word for where it gave up is not exact, and says no more: the reader of graphs does, before it looks for any. What it says
 * of graphs, or of how deep they are, is not meant. */
static bool fail_as_graph(const char *text, size_t len, const char *stop, char error[FLOW_ERROR])
{
    rask_graph *graph = NULL;
    rask_node **targets = NULL;
    size_t count;
    rask_registry *registry = rask_registry_new();
    if (registry)
        rask_graph_from_json(registry, text, len, true, &graph, &targets, &count, error, FLOW_ERROR);
    rask_registry_free(registry);
    rask_graph_free(graph);
    if (strstr(error, ": rask: ") || strstr(error, ": nested more than"))
        return fail_at(text, (size_t)(stop - text), "this is no JSON", error);
    if (!*error)
        snprintf(error, FLOW_ERROR, "%s", rask_status_text(RASK_ENOMEM));
    return false;
}

static bool parse(flow *f, const char *text, size_t len, char error[FLOW_ERROR])
{
    const char *stop = text, *nul = find_nul(text, len), *end = text + len;
    f->root = cJSON_ParseWithLengthOpts(text, len, &stop, false);
    while (f->root && stop < end && is_space(*stop))
        stop++;
    if (f->root && stop == end && !nul)
        return true;
    if (nul)
        return fail_at(text, (size_t)(nul - text), "\\u0000 in a text", error);
    const char *deep = f->root ? NULL : find_depth(text, (size_t)(stop - text) + (stop < end));
    if (deep)
        return fail_at(text, (size_t)(deep - text), "nested more than 1000 deep", error);
    return fail_as_graph(text, len, stop, error);
}

bool flow_read(flow *f, const char *text, size_t len, char error[FLOW_ERROR])
{
    reader r = {.flow = f, .error = error};
    memset(f, 0, sizeof *f);
    *error = 0;
    bool good = parse(f, text, len, error) && read_all(&r);
    if (good && !r.commons)
        find_lines(f, text, len);
    free((void *)r.items);
    free((void *)r.runs);
    free(r.ids);
    free(r.outputs);
    flow_paths_fini(&r.paths);
    if (!good)
        flow_fini(f);
    return good;
}

void flow_fini(flow *f)
{
    for (uint32_t i = 0; f->tasks && i < f->count; i++) {
        free((void *)f->tasks[i].arguments);
        free((void *)f->tasks[i].inputs);
        free((void *)f->tasks[i].outputs);
        free(f->tasks[i].before);
    }
    free(f->tasks);
    free(f->order);
    free(f->defs);
    free(f->nodes);
    free(f->works);
    cJSON_Delete(f->root);
    memset(f, 0, sizeof *f);
}
