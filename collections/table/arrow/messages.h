/* collections/table/arrow/messages: what Arrow's files and streams say of the columns and of each batch of rows
 * (https://arrow.apache.org/docs/format/Columnar.html, format/Schema.fbs, Message.fbs and File.fbs). */
#ifndef RASK_COLLECTIONS_TABLE_ARROW_MESSAGES_H
#define RASK_COLLECTIONS_TABLE_ARROW_MESSAGES_H

#include "collections/table/arrow/bodies.h"
#include "collections/table/arrow/buffers.h"
#include "collections/table/arrow/flat.h"
#include "collections/table/table.h"

enum { RK_ARROW_ALIGNMENT = 8 };
enum { RK_ARROW_SCHEMA = 1, RK_ARROW_DICTIONARY = 2, RK_ARROW_RECORD_BATCH = 3 }; /* headers of messages */

static inline uint64_t rk_arrow_padded(uint64_t size)
{
    return (size + RK_ARROW_ALIGNMENT - 1) & ~(uint64_t)(RK_ARROW_ALIGNMENT - 1);
}

/* Where a message is in a file. */
typedef struct rk_arrow_block {
    uint64_t place, metadata, body; /* bytes of what is before the body, and of the body */
} rk_arrow_block;

/* What stands behind a message. */
typedef struct rk_arrow_body {
    rk_arrow_buffers *columns;
    uint32_t count;
    uint64_t rows;
    bool packed; /* buffers are compressed by codec, each with its length before */
    rk_body_codec codec;
} rk_arrow_body;

/* Bytes of it, with padding. */
uint64_t rk_arrow_body_size(const rk_arrow_body *body);

/* Columns, of which those that are coded have a dictionary, whose id is the number of the column. */
typedef struct rk_arrow_columns {
    const rk_schema *schema;
    const bool *coded;
} rk_arrow_columns;

/* Each begins f anew and fills it; f->status says how that went. */
void rk_arrow_schema_message(rk_flat *f, const rk_arrow_columns *columns);
/* Of the dictionary of a column, whose texts body has. */
void rk_arrow_dictionary_message(rk_flat *f, uint32_t column, const rk_arrow_body *body);
void rk_arrow_batch_message(rk_flat *f, const rk_arrow_body *body);
/* Blocks: of the dictionaries, then of the batches. */
void rk_arrow_footer(rk_flat *f, const rk_arrow_columns *columns, const rk_array *dictionaries,
                     const rk_array *batches);

#endif
