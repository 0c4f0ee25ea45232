/*
 * Preloaded into the Criterion test programs of the sanitizer builds. Criterion runs each test case in a
 * process of its own, which costs two things that this file gives back:
 *
 * - It maps an arena at an address drawn anywhere in a range of which ThreadSanitizer allows only a slice, so
 *   a test program built with TSan gives up before its first case. The draw is one call of rand_r: ours
 *   answers inside the slice, 0x5500'0000'0000 to 0x5600'0000'0000, in Criterion's unit of 16 MiB above
 *   0x2000'0000'0000.
 * - The process of a test case ends without exit handlers, so LeakSanitizer never reports. We look for leaks
 *   after the case and its teardown, while a failure still counts.
 *
 * Programs without Criterion (what a test starts, say) load this file too: hence the weak symbols.
 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <dlfcn.h>

#pragma weak criterion_current_test
#pragma weak criterion_current_suite
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* A case takes one pointer when it is parameterised and else nothing: called with one, either is content. */
typedef void case_function(void *parameter);
static case_function *test_case; /* one case a process, run by its first thread */

int rand_r(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return 0x350000 | (int)(*seed >> 16);
}

static void tear_down_now(struct criterion_test_extra_data *data)
{
    if (data && data->fini)
        data->fini();
    if (data)
        data->fini = NULL;
}

static void case_then_leak_check(void *parameter)
{
    test_case(parameter);
    tear_down_now(criterion_current_test->data);
    tear_down_now(criterion_current_suite->data);
    if (__lsan_do_recoverable_leak_check()) {
        void (*fail)(const char *, ...) =
            (void (*)(const char *, ...))dlsym(RTLD_DEFAULT, "criterion_test_die");
        fail("the test case leaks memory");
    }
}

/* Criterion calls this for each case. A case that fails jumps out of it and is torn down by Criterion. */
void criterion_internal_test_main(void (*function)(void))
{
    void (*next)(void (*)(void)) = (void (*)(void (*)(void)))dlsym(RTLD_NEXT, "criterion_internal_test_main");
    test_case = (case_function *)function;
    next(__lsan_do_recoverable_leak_check ? (void (*)(void))case_then_leak_check : function);
}
