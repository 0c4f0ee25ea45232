#include "core/json/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BIT(field) (1u << (field))

enum {
    ANYTHING = 0xff,
    OWN = BIT(RK_FIELD_LABEL) | BIT(RK_FIELD_PRIORITY) | BIT(RK_FIELD_RETRIES) | BIT(RK_FIELD_TIMEOUT) |
          BIT(RK_FIELD_RESULT_BYTES) | BIT(RK_FIELD_BACKOFF) | BIT(RK_FIELD_TAGS),
    WAITING = OWN | BIT(RK_FIELD_AFTER),
};

static const struct {
    const char *name;
    int type; /* of cJSON */
    const char *type_name;
    unsigned goes_with; /* of kinds: fields that a node of this kind may have */
} fields[RK_FIELDS] = {
    [RK_FIELD_CALL] = {"call", cJSON_String, "a string", BIT(RK_FIELD_ARGS) | WAITING},
    [RK_FIELD_CONST] = {"const", ANYTHING, "", OWN},
    [RK_FIELD_INPUT] = {"input", ANYTHING, "", OWN},
    [RK_FIELD_LIST] = {"list", cJSON_Array, "an array", WAITING},
    [RK_FIELD_ITEM] = {"item", cJSON_Number, "a number", BIT(RK_FIELD_OF) | WAITING},
    [RK_FIELD_ARGS] = {"args", cJSON_Array, "an array", 0},
    [RK_FIELD_OF] = {"of", cJSON_String, "a string", 0},
    [RK_FIELD_AFTER] = {"after", cJSON_Array, "an array", 0},
    [RK_FIELD_LABEL] = {"label", cJSON_String, "a string", 0},
    [RK_FIELD_PRIORITY] = {"priority", cJSON_Number, "a number", 0},
    [RK_FIELD_RETRIES] = {"retries", cJSON_Number, "a number", 0},
    [RK_FIELD_TIMEOUT] = {"timeout", cJSON_Number, "a number", 0},
    [RK_FIELD_RESULT_BYTES] = {"result_bytes", cJSON_Number, "a number", 0},
    [RK_FIELD_BACKOFF] = {"backoff", cJSON_Number, "a number", 0},
    [RK_FIELD_TAGS] = {"tags", cJSON_String, "a string", 0},
};

int rk_reader_fail(const rk_reader *r, int status, rk_place place, const char *format, ...)
{
    const rk_json_entry *entry = rk_json_entry_at(&r->document, r->current);
    char path[RK_JSON_PATH], index[24] = "", message[RK_MAX_ERROR];
    rk_json_path(entry, path);
    if (place.index != RK_NO_INDEX)
        snprintf(index, sizeof index, "[%zu]", place.index);
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    bool whole = place.field == RK_FIELDS;
    return rk_json_fail(&r->document, status, entry->value.at, "%s%s%s%s%s: %s", path, whole ? "" : ".",
                        whole ? "" : fields[place.field].name, index, place.inner, message);
}

int rk_reader_no_memory(const rk_reader *r)
{
    return rk_reader_fail(r, RASK_ENOMEM, RK_AT_NODE, "no memory to read it");
}

static int unknown_field(const rk_reader *r, const char *name)
{
    char quoted[RK_JSON_QUOTED];
    return rk_reader_fail(r, RASK_EFORMAT, RK_AT_NODE, "unknown field %s",
                          rk_json_quote(name, strlen(name), quoted));
}

static int draft_field(const rk_reader *r, rk_draft *draft, const cJSON *member)
{
    enum rk_field f = 0;
    while (f < RK_FIELDS && strcmp(fields[f].name, member->string) != 0)
        f++;
    if (f == RK_FIELDS)
        return unknown_field(r, member->string);
    rk_place at = {f, RK_NO_INDEX, ""};
    if (draft->field[f])
        return rk_reader_fail(r, RASK_EEXIST, at, "given twice");
    bool tagged = f == RK_FIELD_TIMEOUT && cJSON_IsObject(member); /* {"f64": "inf"} */
    if (!(member->type & fields[f].type) && !tagged)
        return rk_reader_fail(r, RASK_ETYPE, at, "is not %s", fields[f].type_name);
    draft->field[f] = member;
    return RASK_OK;
}

static int draft_kind(const rk_reader *r, rk_draft *draft)
{
    draft->kind = RK_KINDS;
    for (enum rk_field f = 0; f < RK_KINDS; f++) {
        if (!draft->field[f])
            continue;
        if (draft->kind != RK_KINDS)
            return rk_reader_fail(r, RASK_EFORMAT, RK_AT_NODE, "has both \"%s\" and \"%s\"",
                                  fields[draft->kind].name, fields[f].name);
        draft->kind = f;
    }
    if (draft->kind == RK_KINDS)
        return rk_reader_fail(r, RASK_EFORMAT, RK_AT_NODE,
                              "one of \"call\", \"const\", \"input\", \"list\", \"item\" is missing");
    for (enum rk_field f = RK_KINDS; f < RK_FIELDS; f++)
        if (draft->field[f] && !(fields[draft->kind].goes_with & BIT(f)))
            return rk_reader_fail(r, RASK_EFORMAT, RK_AT(f), "does not go with \"%s\"",
                                  fields[draft->kind].name);
    if (draft->kind == RK_FIELD_ITEM && !draft->field[RK_FIELD_OF])
        return rk_reader_fail(r, RASK_EFORMAT, RK_AT_NODE, "\"of\" is missing: the node whose item this is");
    return RASK_OK;
}

int rk_draft_read(const rk_reader *r, rk_draft *out)
{
    *out = (rk_draft){.tree = rk_json_parse(&r->document, rk_json_entry_at(&r->document, r->current)->value)};
    if (!out->tree)
        return rk_reader_no_memory(r);
    if (!cJSON_IsObject(out->tree))
        return rk_reader_fail(r, RASK_ETYPE, RK_AT_NODE, "is not an object");
    int status = RASK_OK;
    for (const cJSON *member = out->tree->child; member && !status; member = member->next)
        status = draft_field(r, out, member);
    return status ? status : draft_kind(r, out);
}

/* Notes that the current entry needs the one that key names. */
static int need(rk_reader *r, rk_place at, const cJSON *key)
{
    char quoted[RK_JSON_QUOTED];
    if (!cJSON_IsString(key))
        return rk_reader_fail(r, RASK_ETYPE, at, "is not the key of a node");
    size_t len = strlen(key->valuestring);
    uint32_t found = rk_json_find(&r->document, key->valuestring, len);
    if (found == UINT32_MAX)
        return rk_reader_fail(r, RASK_ENOENT, at, "no node named %s",
                              rk_json_quote(key->valuestring, len, quoted));
    uint32_t *place = rk_array_push(&r->needs);
    if (!place)
        return rk_reader_no_memory(r);
    *place = found;
    return RASK_OK;
}

static int need_all(rk_reader *r, enum rk_field field, const cJSON *keys)
{
    int status = RASK_OK;
    size_t i = 0;
    for (const cJSON *key = keys ? keys->child : NULL; key && !status; key = key->next)
        status = need(r, RK_AT_I(field, i++), key);
    return status;
}

static int need_args(rk_reader *r, const cJSON *args)
{
    int status = RASK_OK;
    size_t i = 0;
    for (const cJSON *arg = args ? args->child : NULL; arg && !status; arg = arg->next, i++) {
        if (!rk_json_is_reference(arg))
            continue;
        rk_place at = {RK_FIELD_ARGS, i, ""};
        status = arg->child->next ? rk_reader_fail(r, RASK_EFORMAT, at, "\"node\" stands alone")
                                  : need(r, at, arg->child);
    }
    return status;
}

int rk_draft_needs(rk_reader *r, const rk_draft *draft)
{
    r->needs.count = 0;
    int status = RASK_OK;
    if (draft->kind == RK_FIELD_LIST)
        status = need_all(r, RK_FIELD_LIST, draft->field[RK_FIELD_LIST]);
    else if (draft->kind == RK_FIELD_ITEM)
        status = need(r, RK_AT(RK_FIELD_OF), draft->field[RK_FIELD_OF]);
    else if (draft->kind == RK_FIELD_CALL)
        status = need_args(r, draft->field[RK_FIELD_ARGS]);
    r->arguments = r->needs.count;
    return status ? status : need_all(r, RK_FIELD_AFTER, draft->field[RK_FIELD_AFTER]);
}
