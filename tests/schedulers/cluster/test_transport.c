/* Scenes over ZeroMQ, each partner a process of its own; what only ZeroMQ has, keys and strangers, is in test_zmq.c. */
#include "conformance.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rask/base.h>

static const rk_transport_engine *find(const char *name)
{
    const rk_transport_engine *engine = NULL;
    char reason[600] = "";
    int status = rk_transport_find(name, &engine, reason, sizeof reason);
    cr_assert(status == RASK_OK, "%s", reason);
    return engine;
}

/* A partner learns the leader's contact through a pipe. */
static pid_t start_partner(const scene *what, stage *s, int index, int pipe_end)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child)
        return child;
    static char contact[RK_MAX_CONTACT + 1];
    MUST(read(pipe_end, contact, sizeof contact) > 0);
    s->index = index;
    s->leader = contact;
    what->assist(s);
    _Exit(0);
}

static void play(const scene *what, const rk_transport_engine *engine, const char *secret)
{
    stage s = {.engine = engine, .secret = secret, .partners = what->partners};
    pid_t children[MOST_PEERS];
    char contact[RK_MAX_CONTACT + 1] = "";
    int ends[2];
    cr_assert(pipe(ends) == 0);
    for (int i = 0; i < s.partners; i++)
        children[i] = start_partner(what, &s, i + 1, ends[0]);
    player_open(&s.self, engine, secret);
    snprintf(contact, sizeof contact, "%s", engine->contact(s.self.t));
    for (int i = 0; i < s.partners; i++)
        cr_assert(write(ends[1], contact, sizeof contact) == (ssize_t)sizeof contact);
    what->lead(&s);
    for (int i = 0; i < s.partners; i++) {
        int status;
        cr_assert(waitpid(children[i], &status, 0) == children[i]);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: partner %d ended with %x", what->name,
                  i + 1, (unsigned)status);
    }
    close(ends[0]);
    close(ends[1]);
}

/* Numbers of scenes: addresses differ from one process of Criterion to the next. */
static struct criterion_test_params numbers(void)
{
    static size_t all[64];
    for (size_t i = 0; i < conformance_count; i++)
        all[i] = i;
    return cr_make_param_array(size_t, all, conformance_count, NULL);
}

ParameterizedTestParameters(transport, zmq_plain)
{
    return numbers();
}

ParameterizedTest(const size_t *which, transport, zmq_plain)
{
    play(&conformance_scenes[*which], find("zmq"), NULL);
}

ParameterizedTestParameters(transport, zmq_encrypted)
{
    return numbers();
}

ParameterizedTest(const size_t *which, transport, zmq_encrypted)
{
    const rk_transport_engine *engine = find("zmq");
    char secret[RK_MAX_KEY + 1];
    cr_assert(engine->make_secret(secret) == RASK_OK);
    play(&conformance_scenes[*which], engine, secret);
}

Test(transport, unknown_engines_are_named)
{
    const rk_transport_engine *engine = NULL;
    char reason[200] = "";
    cr_assert(rk_transport_find("pigeons", &engine, reason, sizeof reason) == RASK_EINVAL);
    cr_assert(strstr(reason, "pigeons") && !engine);
}
