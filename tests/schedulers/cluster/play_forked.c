/* Plays all scenes over an engine whose peers come and go, the leader and each partner in a process of its own; prints TAP.
 *
 *   play_forked ENGINE plain|encrypted [NUMBER] */
#include "conformance.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const rk_transport_engine *engine;
static const char *secret; /* NULL: in plain */

/* A partner learns the leader's contact through a pipe. */
static pid_t start_partner(const scene *what, stage *s, int index, int end)
{
    static char contact[RK_MAX_CONTACT + 1];
    pid_t child = fork();
    MUST(child >= 0);
    if (child)
        return child;
    MUST(read(end, contact, sizeof contact) == (ssize_t)sizeof contact);
    s->index = index;
    s->leader = contact;
    what->assist(s);
    _Exit(0);
}

static void lead(const scene *what)
{
    stage s = {.engine = engine, .secret = secret, .partners = what->partners};
    pid_t children[MOST_PEERS];
    char contact[RK_MAX_CONTACT + 1] = "";
    int ends[2];
    MUST(pipe(ends) == 0);
    for (int i = 0; i < s.partners; i++)
        children[i] = start_partner(what, &s, i + 1, ends[0]);
    player_open(&s.self, engine, secret);
    snprintf(contact, sizeof contact, "%s", engine->contact(s.self.t));
    for (int i = 0; i < s.partners; i++)
        MUST(write(ends[1], contact, sizeof contact) == (ssize_t)sizeof contact);
    what->lead(&s);
    for (int i = 0; i < s.partners; i++) {
        int status;
        MUST(waitpid(children[i], &status, 0) == children[i]);
        MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

/* In a group of its own, of which nothing is left when it has ended. */
static bool play(const scene *what)
{
    int status = 0;
    pid_t child = fork();
    MUST(child >= 0);
    if (!child) {
        setpgid(0, 0);
        lead(what);
        exit(0); /* so that leaks are looked for */
    }
    MUST(waitpid(child, &status, 0) == child);
    kill(-child, SIGKILL);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    char reason[600] = "", made[RK_MAX_KEY + 1];
    size_t first = argc > 3 ? strtoul(argv[3], NULL, 10) - 1 : 0,
           end = argc > 3 ? first + 1 : conformance_count;
    bool failed = false;
    if (argc < 3 || end > conformance_count || rk_transport_find(argv[1], &engine, reason, sizeof reason)) {
        printf("Bail out! %s\n", *reason ? reason : "usage: play_forked ENGINE plain|encrypted [NUMBER]");
        return 1;
    }
    if (!strcmp(argv[2], "encrypted")) {
        MUST(!engine->make_secret(made));
        secret = made;
    }
    printf("1..%zu\n", end - first);
    for (size_t i = first; i < end; i++) {
        fflush(stdout);
        bool ok = play(&conformance_scenes[i]);
        printf("%s %zu - %s\n", ok ? "ok" : "not ok", i - first + 1, conformance_scenes[i].name);
        failed |= !ok;
    }
    return failed;
}
