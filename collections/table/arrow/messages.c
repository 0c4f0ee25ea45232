#include "collections/table/arrow/messages.h"

enum { METADATA_V5 = 4 };
enum {
    TYPE_NULL = 1,
    TYPE_INT = 2,
    TYPE_FLOATING_POINT = 3,
    TYPE_BOOL = 6,
    TYPE_DATE = 8,
    TYPE_TIMESTAMP = 10,
    TYPE_LARGE_UTF8 = 20
};
enum { PRECISION_DOUBLE = 2, DATE_DAY = 0, TIME_MICROSECOND = 2 };

/* Bytes of the fields of tables, in the order of the schemas; those that are left out have none. */
static const uint8_t message_fields[] = {2, 1, 4, 8}, /* version, header_type, header, bodyLength */
    schema_fields[] = {2, 4},                         /* endianness, fields */
    field_fields[] = {4, 1, 1, 4, 0, 4},              /* name, nullable, type_type, type, –, children */
    coded_fields[] = {4, 1, 1, 4, 4, 4},              /* the same with its dictionary */
    encoding_fields[] = {8, 4},                       /* id, indexType */
    int_fields[] = {4, 1},                            /* bitWidth, is_signed */
    unit_fields[] = {2},                              /* of FloatingPoint, Date, Timestamp */
    batch_fields[] = {8, 4, 4},                       /* length, nodes, buffers */
    packed_fields[] = {8, 4, 4, 4},                   /* and compression */
    compression_fields[] = {1, 1},                    /* codec, method */
    dictionary_fields[] = {8, 4},                     /* id, data */
    footer_fields[] = {2, 4, 4, 4};                   /* version, schema, dictionaries, recordBatches */

#define NEW_TABLE(f, sizes) rk_flat_table_new(f, sizes, sizeof(sizes))

static uint8_t type_of(rask_column_type type)
{
    static const uint8_t types[] = {[RASK_COL_BOOL] = TYPE_BOOL,           [RASK_COL_I64] = TYPE_INT,
                                    [RASK_COL_F64] = TYPE_FLOATING_POINT,  [RASK_COL_DATE] = TYPE_DATE,
                                    [RASK_COL_TIMESTAMP] = TYPE_TIMESTAMP, [RASK_COL_TEXT] = TYPE_LARGE_UTF8};
    return types[type];
}

static size_t put_unit(rk_flat *f, uint64_t unit)
{
    rk_flat_table t = NEW_TABLE(f, unit_fields);
    rk_flat_set(f, t.fields[0], unit, 2);
    return t.place;
}

static size_t put_int(rk_flat *f, uint64_t bits)
{
    rk_flat_table t = NEW_TABLE(f, int_fields);
    rk_flat_set(f, t.fields[0], bits, 4);
    rk_flat_set(f, t.fields[1], true, 1);
    return t.place;
}

static size_t put_type(rk_flat *f, rask_column_type type)
{
    switch (type) {
    case RASK_COL_F64: return put_unit(f, PRECISION_DOUBLE);
    case RASK_COL_DATE: return put_unit(f, DATE_DAY);
    case RASK_COL_TIMESTAMP: return put_unit(f, TIME_MICROSECOND);
    case RASK_COL_I64: return put_int(f, 64);
    default: return rk_flat_table_new(f, NULL, 0).place;
    }
}

static size_t put_encoding(rk_flat *f, uint32_t column)
{
    rk_flat_table t = NEW_TABLE(f, encoding_fields);
    rk_flat_set(f, t.fields[0], column, 8);
    rk_flat_refer(f, t.fields[1], put_int(f, 32));
    return t.place;
}

static size_t put_field(rk_flat *f, const rk_arrow_columns *columns, uint32_t index)
{
    size_t first;
    const char *name = columns->schema->names[index];
    rask_column_type type = columns->schema->types[index];
    bool coded = columns->coded[index], empty = columns->schema->empty[index];
    rk_flat_table t = coded ? NEW_TABLE(f, coded_fields) : NEW_TABLE(f, field_fields);
    rk_flat_set(f, t.fields[1], true, 1);
    rk_flat_set(f, t.fields[2], empty ? TYPE_NULL : type_of(type), 1);
    rk_flat_refer(f, t.fields[0], rk_flat_string(f, name));
    rk_flat_refer(f, t.fields[3], empty ? rk_flat_table_new(f, NULL, 0).place : put_type(f, type));
    if (coded)
        rk_flat_refer(f, t.fields[4], put_encoding(f, index));
    rk_flat_refer(f, t.fields[5], rk_flat_vector(f, 0, 4, &first));
    return t.place;
}

static size_t put_schema(rk_flat *f, const rk_arrow_columns *columns)
{
    size_t first;
    const rk_schema *schema = columns->schema;
    rk_flat_table t = NEW_TABLE(f, schema_fields);
    rk_flat_refer(f, t.fields[1], rk_flat_vector(f, schema->count, 4, &first));
    for (uint32_t i = 0; i < schema->count; i++)
        rk_flat_refer(f, first + 4 * (size_t)i, put_field(f, columns, i));
    return t.place;
}

/* Begins with a message, whose header is still to come: where it is to be referred to. */
static size_t begin_message(rk_flat *f, uint8_t header, uint64_t body)
{
    rk_flat_init(f);
    rk_flat_table t = NEW_TABLE(f, message_fields);
    rk_flat_refer(f, 0, t.place);
    rk_flat_set(f, t.fields[0], METADATA_V5, 2);
    rk_flat_set(f, t.fields[1], header, 1);
    rk_flat_set(f, t.fields[3], body, 8);
    return t.fields[2];
}

void rk_arrow_schema_message(rk_flat *f, const rk_arrow_columns *columns)
{
    size_t header = begin_message(f, RK_ARROW_SCHEMA, 0);
    rk_flat_refer(f, header, put_schema(f, columns));
}

/* -- Batches */

uint64_t rk_arrow_body_size(const rk_arrow_body *body)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < body->count; i++)
        for (uint32_t k = 0; k < body->columns[i].count; k++)
            size += rk_arrow_padded(body->columns[i].buffers[k].size);
    return size;
}

static uint32_t count_buffers(const rk_arrow_body *body)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < body->count; i++)
        count += body->columns[i].count;
    return count;
}

/* Structures FieldNode (length, null_count) and Buffer (offset, length), one behind the other. */
static void put_columns(rk_flat *f, const rk_arrow_body *body, size_t node, size_t buffer)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < body->count; i++, node += 16) {
        const rk_arrow_buffers *column = &body->columns[i];
        rk_flat_set(f, node, body->rows, 8);
        rk_flat_set(f, node + 8, column->nulls, 8);
        for (uint32_t k = 0; k < column->count; k++, buffer += 16) {
            rk_flat_set(f, buffer, at, 8);
            rk_flat_set(f, buffer + 8, column->buffers[k].size, 8);
            at += rk_arrow_padded(column->buffers[k].size);
        }
    }
}

static size_t put_compression(rk_flat *f, rk_body_codec codec)
{
    rk_flat_table t = NEW_TABLE(f, compression_fields);
    rk_flat_set(f, t.fields[0], codec, 1);
    return t.place;
}

static size_t put_batch(rk_flat *f, const rk_arrow_body *body)
{
    size_t node, buffer;
    rk_flat_table t = body->packed ? NEW_TABLE(f, packed_fields) : NEW_TABLE(f, batch_fields);
    rk_flat_set(f, t.fields[0], body->rows, 8);
    rk_flat_refer(f, t.fields[1], rk_flat_vector(f, body->count, 16, &node));
    rk_flat_refer(f, t.fields[2], rk_flat_vector(f, count_buffers(body), 16, &buffer));
    if (body->packed)
        rk_flat_refer(f, t.fields[3], put_compression(f, body->codec));
    put_columns(f, body, node, buffer);
    return t.place;
}

void rk_arrow_batch_message(rk_flat *f, const rk_arrow_body *body)
{
    size_t header = begin_message(f, RK_ARROW_RECORD_BATCH, rk_arrow_body_size(body));
    rk_flat_refer(f, header, put_batch(f, body));
}

void rk_arrow_dictionary_message(rk_flat *f, uint32_t column, const rk_arrow_body *body)
{
    size_t header = begin_message(f, RK_ARROW_DICTIONARY, rk_arrow_body_size(body));
    rk_flat_table t = NEW_TABLE(f, dictionary_fields);
    rk_flat_refer(f, header, t.place);
    rk_flat_set(f, t.fields[0], column, 8);
    rk_flat_refer(f, t.fields[1], put_batch(f, body));
}

/* -- Footers */

/* Structures Block: offset, metaDataLength in four bytes and four more of nothing, bodyLength. */
static size_t put_blocks(rk_flat *f, const rk_array *all)
{
    const rk_arrow_block *blocks = all->data;
    size_t place, vector = rk_flat_vector(f, all->count, 24, &place);
    for (size_t i = 0; i < all->count; i++, place += 24) {
        rk_flat_set(f, place, blocks[i].place, 8);
        rk_flat_set(f, place + 8, blocks[i].metadata, 4);
        rk_flat_set(f, place + 16, blocks[i].body, 8);
    }
    return vector;
}

void rk_arrow_footer(rk_flat *f, const rk_arrow_columns *columns, const rk_array *dictionaries,
                     const rk_array *batches)
{
    rk_flat_init(f);
    rk_flat_table t = NEW_TABLE(f, footer_fields);
    rk_flat_refer(f, 0, t.place);
    rk_flat_set(f, t.fields[0], METADATA_V5, 2);
    rk_flat_refer(f, t.fields[1], put_schema(f, columns));
    rk_flat_refer(f, t.fields[2], put_blocks(f, dictionaries));
    rk_flat_refer(f, t.fields[3], put_blocks(f, batches));
}
