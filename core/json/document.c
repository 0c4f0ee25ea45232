#include "core/json/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

int rk_json_fail(const rk_json_document *document, int status, size_t at, const char *format, ...)
{
    if (!document->error || !document->capacity)
        return status;
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        column += ((unsigned char)document->text[i] & 0xc0) != 0x80; /* characters, not bytes */
        if (document->text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    int used = snprintf(document->error, document->capacity, "%zu:%zu: ", line, column);
    va_list args;
    va_start(args, format);
    if (used > 0 && (size_t)used < document->capacity)
        vsnprintf(document->error + used, document->capacity - (size_t)used, format, args);
    va_end(args);
    return status;
}

/* Part of a key for a message: whole characters only, and none that would break the line or the quotes. */
static size_t copy_key(const char *key, size_t len, char *out, size_t most)
{
    size_t used = 0;
    for (size_t i = 0, step; i < len && (step = rk_utf8_length(key + i, key + len)); i += step) {
        if (used + step > most)
            return used + strlen(strcpy(out + used, "…"));
        memcpy(out + used, key + i, step);
        if ((unsigned char)key[i] < ' ' || key[i] == '"' || key[i] == 0x7f)
            out[used] = '?';
        used += step;
    }
    out[used] = '\0';
    return used;
}

const char *rk_json_quote(const char *key, size_t len, char out[RK_JSON_QUOTED])
{
    out[0] = '"';
    size_t used = 1 + copy_key(key, len, out + 1, RK_JSON_QUOTED - 8);
    strcpy(out + used, "\"");
    return out;
}

static bool is_plain(const char *key, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!key[i] || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", key[i]))
            return false;
    return len;
}

const char *rk_json_name(const rk_json_entry *entry, char out[RK_JSON_QUOTED])
{
    if (is_plain(entry->key, entry->key_len))
        copy_key(entry->key, entry->key_len, out, RK_JSON_QUOTED - 8);
    else
        rk_json_quote(entry->key, entry->key_len, out);
    return out;
}

const char *rk_json_path(const rk_json_entry *entry, char out[RK_JSON_PATH])
{
    char name[RK_JSON_QUOTED];
    bool quoted = *rk_json_name(entry, name) == '"';
    snprintf(out, RK_JSON_PATH, "nodes%s%s%s", quoted ? "[" : ".", name, quoted ? "]" : "");
    return out;
}

cJSON *rk_json_parse(const rk_json_document *document, rk_slice slice)
{
    return cJSON_ParseWithLength(document->text + slice.at, slice.len);
}

static int no_memory(const rk_json_document *document)
{
    return rk_json_fail(document, RASK_ENOMEM, 0, "no memory to read the graph");
}

static int scan_failed(const rk_json_document *document, const rk_scan *scan)
{
    return rk_json_fail(document, scan->status, (size_t)(scan->at - document->text), "%s", scan->why);
}

/* The members of the document. */
enum section { VERSION, NODES, TARGETS, SECTIONS };
static const char *const section_names[SECTIONS] = {"rask", "nodes", "targets"};

/* Slices of the text that hold them; len 0: not there. */
typedef struct sections {
    rk_slice at[SECTIONS];
    rk_slice unknown; /* key of the first unknown member */
    rk_slice again;   /* key of the first member given twice */
} sections;

static void note_section(const rk_json_document *document, sections *found, rk_slice key, rk_slice value)
{
    const char *name = document->text + key.at + 1;
    for (int i = 0; i < SECTIONS; i++) {
        if (key.len - 2 != strlen(section_names[i]) || memcmp(name, section_names[i], key.len - 2) != 0)
            continue;
        if (found->at[i].len)
            found->again = key;
        found->at[i] = value;
        return;
    }
    if (!found->unknown.len)
        found->unknown = key;
}

/* Reads the text from end to end: from here on all of it is known to be JSON. */
static int scan_document(const rk_json_document *document, sections *found)
{
    rk_scan scan;
    rk_scan_init(&scan, document->text, document->len);
    if (!rk_scan_object(&scan))
        return scan_failed(document, &scan);
    rk_slice key, value;
    bool first = true;
    int more;
    for (; (more = rk_scan_member(&scan, first, &key, &value)) > 0; first = false)
        note_section(document, found, key, value);
    if (more < 0 || !rk_scan_end(&scan))
        return scan_failed(document, &scan);
    return RASK_OK;
}

static int check_version(const rk_json_document *document, rk_slice slice)
{
    if (!slice.len)
        return rk_json_fail(document, RASK_EFORMAT, 0,
                            "rask: the version of the format is missing: \"rask\": %d", RK_JSON_VERSION);
    cJSON *tree = rk_json_parse(document, slice);
    if (!tree)
        return no_memory(document);
    int64_t version = 0;
    bool whole = rk_json_integer(tree, 0, INT32_MAX, &version);
    cJSON_Delete(tree);
    if (!whole)
        return rk_json_fail(document, RASK_ETYPE, slice.at, "rask: the version of the format is a number");
    if (version != RK_JSON_VERSION)
        return rk_json_fail(document, RASK_EFORMAT, slice.at,
                            "rask: the format has version %d, only version %d is read", (int)version,
                            RK_JSON_VERSION);
    return RASK_OK;
}

/* The version comes first: a later one may have other members. */
static int check_sections(const rk_json_document *document, const sections *found)
{
    int status = check_version(document, found->at[VERSION]);
    if (status)
        return status;
    rk_slice key = found->again.len ? found->again : found->unknown;
    char name[RK_JSON_QUOTED];
    if (key.len)
        rk_json_quote(document->text + key.at + 1, key.len - 2, name);
    if (found->again.len)
        return rk_json_fail(document, RASK_EEXIST, key.at, "%s is given twice", name);
    if (found->unknown.len)
        return rk_json_fail(document, RASK_EFORMAT, key.at, "unknown field %s", name);
    rk_slice nodes = found->at[NODES];
    if (!nodes.len)
        return rk_json_fail(document, RASK_EFORMAT, 0, "nodes: missing");
    if (document->text[nodes.at] != '{')
        return rk_json_fail(document, RASK_ETYPE, nodes.at, "nodes: is not an object");
    return RASK_OK;
}

/* The key without its quotes; one with escapes in it is kept in the document's arena. */
static int entry_key(rk_json_document *document, rk_slice slice, rk_json_entry *entry)
{
    entry->key = document->text + slice.at + 1;
    entry->key_len = slice.len - 2;
    if (!memchr(entry->key, '\\', entry->key_len))
        return RASK_OK;
    cJSON *tree = rk_json_parse(document, slice);
    size_t len = tree ? strlen(tree->valuestring) : 0;
    char *key = tree ? rk_arena_alloc(&document->keys, len + 1) : NULL;
    if (key) {
        entry->key = memcpy(key, tree->valuestring, len + 1);
        entry->key_len = (uint32_t)len;
    }
    cJSON_Delete(tree);
    return key ? RASK_OK : no_memory(document);
}

static int list_entries(rk_json_document *document, rk_slice nodes)
{
    rk_scan scan;
    rk_scan_init(&scan, document->text, (size_t)nodes.at + nodes.len);
    scan.at += nodes.at;
    rk_scan_object(&scan);
    rk_slice key, value;
    for (bool first = true; rk_scan_member(&scan, first, &key, &value) > 0; first = false) {
        rk_json_entry *entry = rk_array_push(&document->entries);
        if (!entry)
            return no_memory(document);
        entry->value = value;
        entry->id = RK_JSON_NEW;
        int status = entry_key(document, key, entry);
        if (status)
            return status;
    }
    if (!document->entries.count)
        return rk_json_fail(document, RASK_EFORMAT, nodes.at, "nodes: there is none");
    return RASK_OK;
}

/* The slot that holds the key, or the empty one where it belongs. */
static uint32_t slot_of(const rk_json_document *document, const char *key, size_t len)
{
    uint32_t mask = document->slot_count - 1;
    uint32_t at = (uint32_t)XXH3_64bits_withSeed(key, len, document->seed) & mask;
    for (; document->slots[at]; at = (at + 1) & mask) {
        const rk_json_entry *entry = rk_json_entry_at(document, document->slots[at] - 1);
        if (entry->key_len == len && !memcmp(entry->key, key, len))
            break;
    }
    return at;
}

uint32_t rk_json_find(const rk_json_document *document, const char *key, size_t len)
{
    return document->slots[slot_of(document, key, len)] - 1;
}

/* Keys come from outside: the seed keeps them from being chosen to collide. */
static int index_entries(rk_json_document *document)
{
    uint32_t count = (uint32_t)document->entries.count;
    document->slot_count = 16;
    while (document->slot_count < 2 * count)
        document->slot_count *= 2;
    document->slots = rk_calloc(document->slot_count, sizeof *document->slots);
    if (!document->slots)
        return no_memory(document);
    if (getrandom(&document->seed, sizeof document->seed, GRND_NONBLOCK) < 0)
        document->seed = (uintptr_t)document->slots;
    for (uint32_t i = 0; i < count; i++) {
        const rk_json_entry *entry = rk_json_entry_at(document, i);
        uint32_t *slot = &document->slots[slot_of(document, entry->key, entry->key_len)];
        char path[RK_JSON_PATH];
        if (*slot)
            return rk_json_fail(document, RASK_EEXIST, entry->value.at, "%s: the key is given twice",
                                rk_json_path(entry, path));
        *slot = i + 1;
    }
    return RASK_OK;
}

int rk_json_document_init(rk_json_document *document, const char *text, size_t len, char *error,
                          size_t capacity)
{
    *document = (rk_json_document){.text = text,
                                   .len = len,
                                   .entries = RK_ARRAY(rk_json_entry, RK_MAX_NODES),
                                   .error = error,
                                   .capacity = capacity};
    if (len > RK_MAX_JSON_BYTES)
        return rk_json_fail(document, RASK_ELIMIT, 0, "the text has %zu bytes, at most %zu are read", len,
                            RK_MAX_JSON_BYTES);
    sections found = {0};
    int status = scan_document(document, &found);
    if (!status)
        status = check_sections(document, &found);
    if (!status)
        status = list_entries(document, found.at[NODES]);
    if (!status)
        status = index_entries(document);
    document->targets = found.at[TARGETS];
    return status;
}

void rk_json_document_fini(rk_json_document *document)
{
    rk_array_fini(&document->entries);
    rk_arena_fini(&document->keys);
    rk_free(document->slots);
}
