#include "schedulers/cluster/protocol.h"

static const struct {
    const char *name;
    uint32_t fields;
} kinds[RK_SAY_COUNT] = {
#define KIND(NAME, fields) [RK_SAY_##NAME] = {#NAME, fields},
    RK_MESSAGE_TABLE(KIND)
#undef KIND
};

const char *rk_message_name(rk_said kind)
{
    return (unsigned)kind < RK_SAY_COUNT ? kinds[kind].name : "?";
}

static void put_u8(rk_pack_out *out, uint8_t number)
{
    rk_pack_put_u8(out, number);
}

static void put_u32(rk_pack_out *out, uint32_t number)
{
    rk_pack_put_u32(out, number);
}

static void put_u64(rk_pack_out *out, uint64_t number)
{
    rk_pack_put_u64(out, number);
}

static void put_bytes(rk_pack_out *out, rask_bytes bytes)
{
    size_t len = bytes.len < RK_MAX_INLINE ? bytes.len : RK_MAX_INLINE;
    rk_pack_put_u32(out, (uint32_t)len);
    rk_pack_put(out, bytes.data, len);
}

void rk_message_put(rk_pack_out *out, const rk_message *message)
{
    uint32_t fields = kinds[message->kind].fields;
    rk_pack_put_u8(out, (uint8_t)message->kind);
#define PUT(NAME, type, name)                                                                                \
    if (fields & RK_HAS_##NAME)                                                                              \
        put_##type(out, message->name);
    RK_FIELD_TABLE(PUT)
#undef PUT
}

static uint8_t get_u8(rk_pack_in *in)
{
    return rk_pack_get_u8(in);
}

static uint32_t get_u32(rk_pack_in *in)
{
    return rk_pack_get_u32(in);
}

static uint64_t get_u64(rk_pack_in *in)
{
    return rk_pack_get_u64(in);
}

static rask_bytes get_bytes(rk_pack_in *in)
{
    uint32_t size = rk_pack_get_u32(in);
    const char *data = rk_pack_get(in, size);
    in->failed |= size > RK_MAX_INLINE;
    return (rask_bytes){data, data ? size : 0};
}

bool rk_message_get(rk_pack_in *in, rk_message *message)
{
    if (in->failed || !rk_pack_left(in))
        return false;
    *message = (rk_message){.kind = (rk_said)rk_pack_get_u8(in)};
    if (message->kind >= RK_SAY_COUNT) {
        in->failed = true;
        return false;
    }
    uint32_t fields = kinds[message->kind].fields;
#define GET(NAME, type, name)                                                                                \
    if (fields & RK_HAS_##NAME)                                                                              \
        message->name = get_##type(in);
    RK_FIELD_TABLE(GET)
#undef GET
    return !in->failed;
}

void rk_word_copy(char *to, size_t capacity, rask_bytes word)
{
    size_t len = word.len < capacity ? word.len : capacity - 1;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)word.data[i];
        to[i] = (char)(c < ' ' || c == 0x7f ? '?' : c);
    }
    to[len] = '\0';
}
