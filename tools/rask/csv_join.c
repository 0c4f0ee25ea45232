#include "csv_join.h"

#include "say.h"

const char *const csv_join_hows[] = {"inner", "left", "right", "outer", "semi", "anti", NULL};
const char *const csv_join_methods[] = {"auto", "broadcast", "partitioned", NULL};

/* The n-th, or the only one, or the default. */
static const char *text_of(const option_texts *texts, size_t n, const char *otherwise)
{
    return texts->count ? texts->items[n < texts->count ? n : texts->count - 1] : otherwise;
}

static bool check_count(const tool_command *c, const csv_joins *j, const option_texts *texts,
                        const char *name)
{
    if (texts->count <= 1 || texts->count == j->files.count)
        return true;
    say_error(c->name, "--%s: given %zu times, --join %zu times", name, texts->count, j->files.count);
    return false;
}

bool csv_joins_check(const tool_command *c, const csv_joins *j)
{
    size_t others = j->on.count + j->how.count + j->types.count + (j->method != NULL);
    if (!j->files.count && others) {
        say_error(c->name, "--on, --how, --join-types and --join-method belong to --join FILE");
        return false;
    }
    if (j->files.count && !j->on.count) {
        say_error(c->name, "--join: --on COLUMNS is missing");
        return false;
    }
    for (size_t i = 0; i < j->how.count; i++)
        if (options_find(csv_join_hows, j->how.items[i]) < 0) {
            say_error(c->name, "--how: not inner, left, right, outer, semi or anti: \"%s\"", j->how.items[i]);
            return false;
        }
    if (j->method && options_find(csv_join_methods, j->method) < 0) {
        say_error(c->name, "--join-method: not auto, broadcast or partitioned: \"%s\"", j->method);
        return false;
    }
    return check_count(c, j, &j->on, "on") && check_count(c, j, &j->how, "how") &&
           check_count(c, j, &j->types, "join-types");
}

rask_table *csv_joins_add(rask_table *t, const csv_joins *j, const rask_csv_options *read_as)
{
    rask_join_options options = RASK_JOIN_OPTIONS_INIT;
    if (j->method)
        options.method = (rask_join_method)options_find(csv_join_methods, j->method);
    for (size_t i = 0; t && i < j->files.count; i++) {
        rask_csv_options csv = *read_as;
        csv.types = text_of(&j->types, i, NULL);
        rask_table *other =
            rask_read_table_files_at(rask_table_graph(t), &j->files.items[i], 1, &csv, NULL, 0);
        int how = options_find(csv_join_hows, text_of(&j->how, i, "inner"));
        t = rask_table_join_at(t, other, text_of(&j->on, i, ""), (rask_join_how)how, &options, NULL, 0);
    }
    return t;
}
