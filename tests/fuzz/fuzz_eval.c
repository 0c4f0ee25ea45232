/* Any bytes as an expression: it is built or refused with a place, and nothing leaks. With replay.c a test over the
 * corpus; with clang's -fsanitize=fuzzer,address a fuzzer. */
#include <assert.h>
#include <rask/rask.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static rask_operand array(rask_graph *graph, rask_dtype dtype, uint32_t ndim, const int64_t *shape)
{
    rask_operand three = {.kind = RASK_OPERAND_I64, .as.i64 = 3};
    return (rask_operand){.kind = RASK_OPERAND_ARRAY,
                          .as.array = rask_array_full_at(graph, dtype, ndim, shape, three, NULL, 0)};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a", "b", "i", "m", "z", "n"};
    rask_options options = RASK_OPTIONS_INIT;
    options.scheduler = "serial";
    options.memory = 16 << 20;
    options.timeout = 0.2; /* of masks and the like, which are computed while the expression is built */
    rask_graph *graph = rask_graph_new();
    char *text = malloc(size + 1);
    assert(graph && text);
    memcpy(text, data, size);
    text[size] = 0;
    rask_operand operands[] = {
        array(graph, RASK_DT_F64, 2, (int64_t[]){3, 4}),
        array(graph, RASK_DT_F32, 1, (int64_t[]){4}),
        array(graph, RASK_DT_I64, 3, (int64_t[]){2, 3, 4}),
        array(graph, RASK_DT_BOOL, 1, (int64_t[]){3}),
        array(graph, RASK_DT_C128, 0, NULL),
        {.kind = RASK_OPERAND_F64, .as.f64 = 2.5},
    };
    rask_array *result =
        rask_eval_operands_at(graph, text, names, operands, sizeof names / sizeof *names, &options, NULL, 0);
    if (!result) {
        const char *message = rask_graph_error(graph);
        assert(rask_graph_status(graph) && *message >= '1' && *message <= '9' && strchr(message, ':'));
    }
    rask_graph_free(graph);
    free(text);
    return 0;
}
