#include "schedulers/cluster/protocol.h"

#include <string.h>

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

/* Numbers come first in the table of fields: they are written and read in one piece of at most so many bytes, so that a short
 * message costs two calls. */
enum {
#define FIELD_BYTES_u8        1
#define FIELD_BYTES_u32       4
#define FIELD_BYTES_u64       8
#define ADD(NAME, type, name) +FIELD_BYTES_##type
    MOST_NUMBERS = 1 RK_NUMBER_TABLE(ADD)
#undef ADD
};

static char *put_u8(char *to, uint8_t number)
{
    *to = (char)number;
    return to + 1;
}

static char *put_u32(char *to, uint32_t number)
{
    memcpy(to, &number, sizeof number);
    return to + sizeof number;
}

static char *put_u64(char *to, uint64_t number)
{
    memcpy(to, &number, sizeof number);
    return to + sizeof number;
}

static void put_words(rk_pack_out *out, rask_bytes bytes)
{
    size_t len = bytes.len < RK_MAX_INLINE ? bytes.len : RK_MAX_INLINE;
    rk_pack_put_u32(out, (uint32_t)len);
    rk_pack_put(out, bytes.data, len);
}

void rk_message_put(rk_pack_out *out, const rk_message *message)
{
    uint32_t fields = kinds[message->kind].fields;
    char numbers[MOST_NUMBERS], *to = put_u8(numbers, (uint8_t)message->kind);
#define PUT(NAME, type, name)                                                                                \
    if (fields & RK_HAS_##NAME)                                                                              \
        to = put_##type(to, message->name);
    RK_NUMBER_TABLE(PUT)
#undef PUT
    rk_pack_put(out, numbers, (uint64_t)(to - numbers));
#define PUT(NAME, type, name)                                                                                \
    if (fields & RK_HAS_##NAME)                                                                              \
        put_words(out, message->name);
    RK_WORDS_TABLE(PUT)
#undef PUT
}

static const char *get_u8(const char *from, uint8_t *number)
{
    *number = (uint8_t)*from;
    return from + 1;
}

static const char *get_u32(const char *from, uint32_t *number)
{
    memcpy(number, from, sizeof *number);
    return from + sizeof *number;
}

static const char *get_u64(const char *from, uint64_t *number)
{
    memcpy(number, from, sizeof *number);
    return from + sizeof *number;
}

static rask_bytes get_words(rk_pack_in *in)
{
    uint32_t size = rk_pack_get_u32(in);
    const char *data = rk_pack_get(in, size);
    in->failed |= size > RK_MAX_INLINE;
    return (rask_bytes){data, data ? size : 0};
}

/* What is not there is read as zeroes, and that is noticed behind all of it. */
static uint32_t get_numbers(rk_pack_in *in, rk_message *message)
{
    char numbers[MOST_NUMBERS] = {0};
    uint64_t left = rk_pack_left(in);
    memcpy(numbers, in->at, left < sizeof numbers ? left : sizeof numbers);
    uint8_t kind = (uint8_t)*numbers;
    *message = (rk_message){.kind = kind};
    if (kind >= RK_SAY_COUNT) {
        in->failed = true;
        return 0;
    }
    uint32_t fields = kinds[kind].fields;
    const char *from = numbers + 1;
#define GET(NAME, type, name)                                                                                \
    if (fields & RK_HAS_##NAME)                                                                              \
        from = get_##type(from, &message->name);
    RK_NUMBER_TABLE(GET)
#undef GET
    rk_pack_get(in, (uint64_t)(from - numbers));
    return fields;
}

bool rk_message_get(rk_pack_in *in, rk_message *message)
{
    if (in->failed || !rk_pack_left(in))
        return false;
    uint32_t fields = get_numbers(in, message);
#define GET(NAME, type, name)                                                                                \
    if (fields & RK_HAS_##NAME)                                                                              \
        message->name = get_words(in);
    RK_WORDS_TABLE(GET)
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
