#include "core/task/pack.h"

#include "core/base/atomic.h"
#include "core/task/plugin.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

static bool make_room(rk_pack_out *out, uint64_t size)
{
    if (size <= out->capacity - out->size)
        return true;
    uint64_t capacity = out->capacity ? out->capacity : FIRST_CAPACITY;
    while (capacity - out->size < size && capacity <= UINT64_MAX / 2)
        capacity *= 2;
    char *grown = capacity - out->size < size ? NULL : rk_realloc(out->data, capacity);
    if (!grown) {
        out->failed = true;
        return false;
    }
    out->data = grown;
    out->capacity = capacity;
    return true;
}

char *rk_pack_put_room(rk_pack_out *out, uint64_t size)
{
    if (out->counting)
        out->size += size;
    if (out->counting || out->failed || !size || !make_room(out, size))
        return NULL;
    char *room = out->data + out->size;
    out->size += size;
    return room;
}

void rk_pack_put(rk_pack_out *out, const void *bytes, uint64_t size)
{
    char *room = rk_pack_put_room(out, size);
    if (room)
        memcpy(room, bytes, size);
}

void rk_pack_out_fini(rk_pack_out *out)
{
    rk_free(out->data);
    *out = (rk_pack_out){.counting = out->counting};
}

int rk_pack_out_value(rk_pack_out *out, rask_value *bytes)
{
    int status = out->failed ? RASK_ENOMEM : rask_value_bytes_new(out->data, out->size, bytes);
    rk_pack_out_fini(out);
    return status;
}

void rk_pack_put_text(rk_pack_out *out, const char *text)
{
    rk_pack_put_u8(out, text != NULL);
    if (text)
        rk_pack_put_bytes(out, text, strlen(text));
}

static rk_atomic_u64 times;
static _Thread_local uint64_t together;

void rk_pack_begin_together(void)
{
    together = rk_add_relaxed(&times, 1) + 1;
}

void rk_pack_end_together(void)
{
    together = 0;
}

uint64_t rk_pack_together(void)
{
    return together;
}

int rk_pack_put_place(rk_pack_out *out, uintptr_t address)
{
    rk_identity identity;
    rk_plugin plugin;
    if (rk_identity_of((void (*)(void))address, &identity))
        return RASK_EUNSUPPORTED;
    rk_pack_put(out, identity.module, sizeof identity.module);
    rk_pack_put_u64(out, identity.offset);
    bool is_plugin = !rk_plugin_of(address, &plugin);
    rk_pack_put_u8(out, is_plugin);
    if (is_plugin) {
        rk_pack_put_bytes(out, plugin.path, strlen(plugin.path) + 1);
        rk_pack_put(out, plugin.content, sizeof plugin.content);
    }
    return RASK_OK;
}

const char *rk_pack_get(rk_pack_in *in, uint64_t size)
{
    if (in->failed || size > rk_pack_left(in)) {
        in->failed = true;
        return NULL;
    }
    const char *at = in->at;
    in->at += size;
    return at;
}

static void get_number(rk_pack_in *in, void *number, size_t size)
{
    const char *at = rk_pack_get(in, size);
    if (at)
        memcpy(number, at, size);
}

uint8_t rk_pack_get_u8(rk_pack_in *in)
{
    uint8_t number = 0;
    get_number(in, &number, sizeof number);
    return number;
}

uint32_t rk_pack_get_u32(rk_pack_in *in)
{
    uint32_t number = 0;
    get_number(in, &number, sizeof number);
    return number;
}

uint64_t rk_pack_get_u64(rk_pack_in *in)
{
    uint64_t number = 0;
    get_number(in, &number, sizeof number);
    return number;
}

rask_bytes rk_pack_get_bytes(rk_pack_in *in)
{
    uint64_t size = rk_pack_get_u64(in);
    const char *data = rk_pack_get(in, size);
    return (rask_bytes){data, data ? size : 0};
}

bool rk_pack_get_text(rk_pack_in *in, char **text)
{
    rask_bytes bytes = {NULL, 0};
    char *copy = NULL;
    if (rk_pack_get_u8(in)) {
        bytes = rk_pack_get_bytes(in);
        in->failed |= bytes.data && memchr(bytes.data, '\0', bytes.len);
        copy = in->failed ? NULL : rk_strndup(bytes.data, bytes.len);
    }
    if (in->failed || (bytes.data && !copy))
        return false;
    *text = copy;
    return true;
}

/* A path that ends with its 0, and the hash. */
static const char *get_plugin(rk_pack_in *in, rk_plugin *plugin)
{
    rask_bytes path = rk_pack_get_bytes(in);
    const char *content = rk_pack_get(in, sizeof plugin->content);
    if (!content || !path.len || path.len > sizeof plugin->path ||
        strnlen(path.data, path.len) + 1 != path.len || path.data[0] != '/')
        return NULL;
    memcpy(plugin->path, path.data, path.len);
    memcpy(plugin->content, content, sizeof plugin->content);
    return path.data;
}

/* As rk_identity_find(), once its library is loaded. */
static bool find_place(rk_pack_in *in, const rk_identity *identity, size_t size, bool code,
                       uintptr_t *address)
{
    rk_plugin plugin;
    char reason[1];
    const char *record = rk_pack_get_u8(in) ? get_plugin(in, &plugin) : NULL;
    if (in->failed)
        return false;
    if (!rk_identity_find(identity, size, code, address))
        return true;
    in->lacking = record;
    return record && !rk_plugin_load(&plugin, reason, sizeof reason) &&
           !rk_identity_find(identity, size, code, address);
}

uintptr_t rk_pack_get_place(rk_pack_in *in, size_t size, bool code)
{
    rk_identity identity = {.offset = 0};
    uintptr_t address = 0;
    const char *module = rk_pack_get(in, sizeof identity.module);
    identity.offset = rk_pack_get_u64(in);
    if (!module || in->failed)
        return 0;
    memcpy(identity.module, module, sizeof identity.module);
    if (!find_place(in, &identity, size, code, &address))
        in->failed = true;
    return address;
}

void rk_pack_tell_lacking(const rk_pack_in *in, char *reason, size_t capacity)
{
    rk_plugin plugin;
    uint64_t size = in->lacking ? strlen(in->lacking) + 1 : 0;
    if (!size) {
        snprintf(reason, capacity, "a function of it is not here");
        return;
    }
    memcpy(plugin.path, in->lacking, size);
    memcpy(plugin.content, in->lacking + size, sizeof plugin.content);
    if (!rk_plugin_load(&plugin, reason, capacity))
        snprintf(reason, capacity, "a function of it is not in %s here", plugin.path);
}
