/* Fields of JSON texts. A text is parsed once, whatever is asked of it; cJSON bounds how deep it may be nested. */
#include "collections/bag/made.h"
#include "collections/bag/run.h"

#include <cjson/cJSON.h>
#include <errno.h>
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

/* -- Numbers: cJSON knows them as doubles, and from 2^53 on nobody can tell by those which integer it was. Then what is
 * written in the text takes the place of the number, as raw JSON. */

static bool is_exact(double f)
{
    return fabs(f) < 0x1p53;
}

/* Whether some number in a tree is not exact. */
// NOLINTNEXTLINE(misc-no-recursion): cJSON nests at most CJSON_NESTING_LIMIT deep
static bool has_inexact(const cJSON *tree)
{
    bool found = cJSON_IsNumber(tree) && !is_exact(tree->valuedouble);
    for (const cJSON *item = tree->child; item && !found; item = item->next)
        found = has_inexact(item);
    return found;
}

/* What is left of a JSON text that cJSON has taken. */
typedef struct json_text {
    const char *at, *end;
} json_text;

/* Behind a string. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

/* The text of the next number. */
static rask_bytes next_number(json_text *text)
{
    static const char inside[] = "+-.0123456789Ee";
    const char *at = text->at;
    while (at < text->end && *at != '-' && !(*at >= '0' && *at <= '9'))
        at = *at == '"' ? skip_string(at, text->end) : at + 1;
    const char *begin = at;
    while (at < text->end && memchr(inside, *at, sizeof inside - 1))
        at++;
    text->at = at;
    return (rask_bytes){begin, (size_t)(at - begin)};
}

/* The numbers of a tree in the order of the text. RASK_OK, RASK_ENOMEM. */
// NOLINTNEXTLINE(misc-no-recursion): as above
static int restore_numbers(cJSON *tree, json_text *text)
{
    int status = RASK_OK;
    for (cJSON *item = tree->child; item && !status; item = item->next)
        status = restore_numbers(item, text);
    if (!cJSON_IsNumber(tree))
        return status;
    rask_bytes digits = next_number(text);
    if (is_exact(tree->valuedouble))
        return RASK_OK;
    tree->valuestring = cJSON_malloc(digits.len + 1);
    if (!tree->valuestring)
        return RASK_ENOMEM;
    memcpy(tree->valuestring, digits.data, digits.len);
    tree->valuestring[digits.len] = 0;
    tree->type = (tree->type & ~0xff) | cJSON_Raw;
    return RASK_OK;
}

/* Digits alone, of an int64. */
static bool read_whole(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return !errno && *end == 0;
}

static int take_whole(rask_bag_out *out, const json_path *path, const cJSON *value, rask_item *item)
{
    double f = value->valuedouble;
    int64_t whole = (int64_t)(is_exact(f) ? f : 0);
    bool good = cJSON_IsRaw(value) ? read_whole(value->valuestring, &whole) : f == trunc(f);
    *item = rask_item_i64(whole);
    return good ? RASK_OK : rk_bag_out_fail(out, RASK_ERANGE, "\"%s\" is %.17g, no int64", path->text, f);
}

static int take_number(rask_bag_out *out, const json_path *path, const cJSON *value, char type,
                       rask_item *item)
{
    if (!cJSON_IsNumber(value) && !cJSON_IsRaw(value))
        return rk_bag_out_fail(out, RASK_ETYPE, "\"%s\" is no number", path->text);
    if (type == 'i')
        return take_whole(out, path, value, item);
    if (isinf(value->valuedouble))
        return rk_bag_out_fail(out, RASK_ERANGE, "\"%s\" is too large for float64", path->text);
    *item = rask_item_f64(value->valuedouble);
    return RASK_OK;
}

/* *printed: to be freed, when the text is not the value's own. */
static int take_text(rask_bag_out *out, const cJSON *value, rask_item *item, char **printed)
{
    const char *text = cJSON_IsRaw(value) ? value->valuestring : cJSON_GetStringValue(value);
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
            status = type == 'y' ? take_text(out, value, &record.items[i], &printed[i])
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

/* Whether a field that is asked for has a number that is not exact. */
static bool needs_digits(const json_fields *fields, const cJSON *tree)
{
    bool needed = false;
    for (uint32_t i = 0; i < fields->count && !needed; i++) {
        const cJSON *value = follow(tree, &fields->paths[i]);
        needed = value && has_inexact(value);
    }
    return needed;
}

static int take_tree(rask_bag_out *out, cJSON *tree, rask_bytes text)
{
    json_text left = {text.data, text.data + text.len};
    int status = needs_digits(out->step->with, tree) ? restore_numbers(tree, &left) : RASK_OK;
    return status ? rk_bag_out_fail(out, status, "out of memory") : put_fields(out, tree);
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
                     ? take_tree(out, tree, text)
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

rask_bag *rk_build_bag_json(rask_bag *bag, const char *paths, const char *types, const char *file, int line)
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
