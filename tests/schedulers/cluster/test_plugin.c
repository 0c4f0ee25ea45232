/* Tasks of a library that the program loads when its workers are there already: they load it, too, or say why not. */
#include "../../folder.h"
#include "workers.h"

#include <dlfcn.h>

typedef rask_node *product(rask_graph *g, int64_t n);

static void copy_plugin(void)
{
    char command[2 * sizeof path + sizeof RASK_TEST_PLUGIN];
    enter_folder(".so", "");
    snprintf(command, sizeof command, "cp '%s' '%s'", RASK_TEST_PLUGIN, path);
    cr_assert_eq(system(command), 0);
}

static product *load_plugin(void)
{
    product *function;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    cr_assert_not_null(library, "%s", dlerror());
    *(void **)&function = dlsym(library, "plugin_product");
    cr_assert_not_null(function);
    return function;
}

/* A product on those workers; what went wrong is left in message. */
static int compute(const cluster *c, product *plugin_product, int64_t n, int64_t *answer, char message[1024])
{
    rask_graph *g = rask_graph_new();
    rask_options o = on(c);
    int status = rask_compute_with(plugin_product(g, n), &o, answer);
    snprintf(message, 1024, "%s", status ? rask_graph_error(g) : "");
    rask_graph_free(g);
    return status;
}

Test(plugin, workers_load_what_the_program_loaded)
{
    cluster c;
    char message[1024];
    int64_t answer = 0;
    copy_plugin();
    cluster_begin(&c, 2, 1);
    cr_assert_eq(compute(&c, load_plugin(), 6, &answer, message), RASK_OK, "%s", message);
    cr_assert_eq(answer, 42);
    cluster_end(&c);
    leave_folder();
}

/* Answers why not. */
static void refuse_after(void (*change)(void), char message[1024])
{
    cluster early, late;
    int64_t answer;
    copy_plugin();
    cluster_begin(&early, 1, 1);
    cluster_begin(&late, 1, 1);
    product *plugin_product = load_plugin();
    cr_assert_eq(compute(&early, plugin_product, 6, &answer, message), RASK_OK, "%s", message);
    cluster_end(&early);
    change();
    cr_assert_neq(compute(&late, plugin_product, 6, &answer, message), RASK_OK);
    cluster_end(&late);
    leave_folder();
}

static void append(void)
{
    FILE *file = fopen(path, "a");
    cr_assert(file && fputs("more", file) >= 0 && !fclose(file));
}

static void withdraw(void)
{
    cr_assert_eq(unlink(path), 0);
}

Test(plugin, a_library_with_other_content_is_not_loaded)
{
    char message[1024];
    refuse_after(append, message);
    cr_assert(strstr(message, path) && strstr(message, "is another on"), "%s", message);
}

Test(plugin, a_library_that_is_not_there_is_named)
{
    char message[1024];
    refuse_after(withdraw, message);
    cr_assert(strstr(message, path) && strstr(message, "cannot be read on"), "%s", message);
}
