/* Fields of JSON texts. A text is parsed once, whatever is asked of it; cJSON bounds how deep it may be nested. */
#include "collections/bag/run.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A member's name, or an element's index. */
typedef struct path_piece {
    const char *name; /* NULL: an index */
    int index;
} path_piece;

typedef struct json_path {
    const char *text; /* as it was written, for messages */
    path_piece *pieces;
    uint32_t count;
} json_path;

typedef struct json_fields {
    uint32_t count;
    json_path paths[RASK_MAX_FIELDS];
} json_fields;

/* -- Values */

static const cJSON *follow(const cJSON *tree, const json_path *path)
{
    for (uint32_t i = 0; i < path->count && tree; i++) {
        const path_piece *piece = &path->pieces[i];
        tree = piece->name           ? cJSON_GetObjectItemCaseSensitive(tree, piece->name)
               : cJSON_IsArray(tree) ? cJSON_GetArrayItem(tree, piece->index)
                                     : NULL;
    }
    return tree && !cJSON_IsNull(tree) ? tree : NULL;
}

/* cJSON knows numbers as doubles: from 2^53 on nobody can tell which integer it was. */
static bool is_exact(double f)
{
    return fabs(f) < 0x1p53;
}

static int take_number(rask_bag_out *out, const json_path *path, const cJSON *value, char type,
                       rask_item *item)
{
    double f = value->valuedouble;
    if (!cJSON_IsNumber(value))
        return rk_bag_out_fail(out, RASK_ETYPE, "\"%s\" is no number", path->text);
    if (type == 'i' && !(f == trunc(f) && is_exact(f)))
        return rk_bag_out_fail(out, RASK_ERANGE, "\"%s\" is %.17g, no whole number below 2^53", path->text,
                               f);
    if (isinf(f))
        return rk_bag_out_fail(out, RASK_ERANGE, "\"%s\" is too large for float64", path->text);
    *item = type == 'i' ? rask_item_i64((int64_t)f) : rask_item_f64(f);
    return RASK_OK;
}

/* *printed: to be freed, when the text is not the value's own. */
static int take_text(rask_bag_out *out, const json_path *path, const cJSON *value, rask_item *item,
                     char **printed)
{
    const char *text = cJSON_GetStringValue(value);
    if (cJSON_IsNumber(value) && !is_exact(value->valuedouble))
        return rk_bag_out_fail(out, RASK_ERANGE, "\"%s\" is a number of 2^53 or more, whose digits are lost",
                               path->text);
    if (!text)
        text = *printed = cJSON_PrintUnformatted(value);
    if (!text)
        return rk_bag_out_fail(out, RASK_ENOMEM, "out of memory");
    *item = rask_item_bytes(text, strlen(text));
    return RASK_OK;
}

static int put_fields(rask_bag_out *out, const cJSON *tree)
{
    const json_fields *fields = out->step->with;
    char *printed[RASK_MAX_FIELDS] = {NULL};
    rask_record record;
    record.count = fields->count;
    int status = RASK_OK;
    for (uint32_t i = 0; i < fields->count && !status; i++) {
        const cJSON *value = follow(tree, &fields->paths[i]);
        char type = out->step->shape.types[i];
        record.items[i] = rask_item_none();
        if (value)
            status = type == 'y' ? take_text(out, &fields->paths[i], value, &record.items[i], &printed[i])
                                 : take_number(out, &fields->paths[i], value, type, &record.items[i]);
    }
    if (!status)
        status = rk_bag_out_put(out, &record);
    for (uint32_t i = 0; i < fields->count; i++)
        cJSON_free(printed[i]);
    return status;
}

static size_t skip_space(rask_bytes text, size_t at)
{
    while (at < text.len && strchr(" \t\r\n", text.data[at]) && text.data[at])
        at++;
    return at;
}

static int take_json(rask_bag_out *out, const rask_record *record)
{
    rask_bytes text = rask_record_bytes(record, 0);
    const char *end = text.data;
    if (skip_space(text, 0) == text.len)
        return RASK_OK;
    cJSON *tree = cJSON_ParseWithLengthOpts(text.data, text.len, &end, false);
    size_t at = (size_t)(end - text.data);
    int status = tree && skip_space(text, at) == text.len
                     ? put_fields(out, tree)
                     : rk_bag_out_fail(out, RASK_EFORMAT, "no JSON, or not JSON alone, at byte %zu", at + 1);
    cJSON_Delete(tree);
    return status;
}

/* -- Paths: "name.name[0].name", each of which a comma ends */

typedef struct path_reader {
    rask_graph *graph;
    const rk_bag_site *site;
    const char *at; /* what was not read yet */
} path_reader;

static void skip_blanks(path_reader *r)
{
    while (*r->at == ' ' || *r->at == '\t')
        r->at++;
}

static bool refuse_path(path_reader *r, const char *text)
{
    rk_bag_refuse(r->graph, RASK_EINVAL, r->site, "\"%.100s\" is no path like user.name or items[0].price",
                  text);
    return false;
}

static bool read_index(path_reader *r, path_piece *piece)
{
    char *end;
    long index = strtol(r->at + 1, &end, 10);
    if (r->at[1] < '0' || r->at[1] > '9' || *end != ']' || index > INT32_MAX)
        return false;
    *piece = (path_piece){.index = (int)index};
    r->at = end + 1;
    return true;
}

/* A name up to what ends it, without the blanks before that. */
static bool read_name(path_reader *r, path_piece *piece)
{
    size_t len = strcspn(r->at, ".[],"), used = len;
    while (used && (r->at[used - 1] == ' ' || r->at[used - 1] == '\t'))
        used--;
    char *name = used ? rk_bag_keep(r->graph, NULL, used + 1, r->site) : NULL;
    if (!name)
        return false;
    memcpy(name, r->at, used);
    *piece = (path_piece){.name = name};
    r->at += len;
    return true;
}

/* Reads one path, and the comma behind it. RASK_OK, or latched: false. */
static bool read_path(path_reader *r, json_path *path)
{
    skip_blanks(r);
    const char *begin = r->at;
    size_t len = strcspn(begin, ",");
    char *text = rk_bag_keep(r->graph, NULL, len + 1, r->site);
    *path = (json_path){.text = text};
    path->pieces = rk_bag_keep(r->graph, NULL, (len + 1) * sizeof(path_piece), r->site);
    if (!text || !path->pieces)
        return false;
    memcpy(text, begin, len);
    for (bool more = true; more; skip_blanks(r)) {
        path_piece *piece = &path->pieces[path->count++];
        if (!(*r->at == '[' ? read_index(r, piece) : read_name(r, piece)))
            return refuse_path(r, begin);
        more = *r->at == '.' || *r->at == '[';
        r->at += *r->at == '.';
    }
    if (*r->at && *r->at != ',')
        return refuse_path(r, begin);
    return true;
}

static bool read_paths(path_reader *r, json_fields *fields)
{
    bool more = true;
    for (; more && fields->count < RASK_MAX_FIELDS; fields->count++) {
        if (!read_path(r, &fields->paths[fields->count]))
            return false;
        more = *r->at == ',';
        r->at += more;
    }
    return true;
}

rask_bag *rask_bag_json_at(rask_bag *bag, const char *paths, const char *types, const char *file, int line)
{
    const rk_bag_site site = {"rask_bag_json", file, line};
    rk_bag_step step = {.name = "json", .take = take_json};
    if (!bag || bag->graph->status)
        return NULL;
    if (!paths || rk_shape_init(&step.shape, types, 0))
        return rk_bag_refuse(bag->graph, RASK_EINVAL, &site, "no paths, or types are no letters of \"yid\"");
    if (bag->shape.types[0] != 'y')
        return rk_bag_refuse(bag->graph, RASK_ETYPE, &site, "records are \"%s\", not bytes at first",
                             bag->shape.types);
    path_reader reader = {bag->graph, &site, paths};
    json_fields *fields = rk_bag_keep(bag->graph, NULL, sizeof *fields, &site);
    if (!fields || !read_paths(&reader, fields))
        return NULL;
    if (fields->count != step.shape.count || *reader.at)
        return rk_bag_refuse(bag->graph, RASK_EINVAL, &site, "%s%u paths for types \"%s\"",
                             *reader.at ? "more than " : "", fields->count, types);
    step.with = fields;
    return rk_bag_step_new(bag, &step, &site);
}
